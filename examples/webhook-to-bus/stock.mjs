/** Takes from the shelf what was ordered. */
export const handler = async ({ detail: { product, count } }) => {
  console.log(`stock: ${count} of ${product} to be packed`)
}
