/** Only for orders that cost something: the rule says so. */
export const handler = async ({ id, detail: { customer, total } }) => {
  console.log(`invoice ${id}: ${customer} owes ${total.toFixed(2)}`)
}
