import { readFileSync } from 'node:fs'

// A file of the package stands for where your figures are.
const orders = JSON.parse(readFileSync(new URL('orders.json', import.meta.url), 'utf8'))

/** Makes a mail of the day's orders. What it returns goes to the webhook. */
export const handler = async ({ to, time }) => {
  const products = new Map()
  for (const { product, amount } of orders) {
    const { count, total } = products.get(product) ?? { count: 0, total: 0 }
    products.set(product, { count: count + 1, total: total + amount })
  }
  const lines = [...products]
    .sort(([, a], [, b]) => b.total - a.total)
    .map(([product, { count, total }]) => `${product.padEnd(12)} ${String(count).padStart(4)} ${total.toFixed(2).padStart(10)}`)
  const total = orders.reduce((sum, { amount }) => sum + amount, 0)
  return {
    to,
    subject: `${orders.length} orders, ${total.toFixed(2)} (${time.slice(0, 10)})`,
    text: `${lines.join('\n')}\n`
  }
}
