import { FUNCTIONS, type MathContext } from './functions.ts'
import { MathError } from './math-error.ts'
import { type Expression, idsOf, parseMath } from './parse.ts'
import { type MathValue, type Series, seriesOf, timesOf } from './series.ts'

const OPERATORS: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  // What is divided by zero has no value.
  '/': (a, b) => (b === 0 ? Number.NaN : a / b),
  '^': (a, b) => a ** b,
  '==': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
  '<>': (a, b) => Number(a !== b),
  '<': (a, b) => Number(a < b),
  '<=': (a, b) => Number(a <= b),
  '>': (a, b) => Number(a > b),
  '>=': (a, b) => Number(a >= b),
  AND: (a, b) => Number(a !== 0 && b !== 0),
  '&&': (a, b) => Number(a !== 0 && b !== 0),
  OR: (a, b) => Number(a !== 0 || b !== 0),
  '||': (a, b) => Number(a !== 0 || b !== 0)
}

/** An expression of a request, by its id. */
export interface MathQuery {
  readonly id: string
  readonly expression: Expression
}

/**
 * Works expressions out, which may name metrics and each other.
 *
 * @param queries - Expressions; {@link MathContext.metrics} has the metrics that they name
 * @returns series by id of the expression; more than one where it is a list
 * @throws MathError for an id that is not there, expressions that name each other in a circle, values of the wrong kind
 */
export function evaluateMath(queries: readonly MathQuery[], context: MathContext): Map<string, readonly Series[]> {
  const byId = new Map(queries.map((query) => [query.id, query.expression]))
  const done = new Map<string, MathValue>()
  const underWay = new Set<string>()

  function valueOf(id: string): MathValue {
    const metric = context.metrics.get(id) ?? done.get(id)
    if (metric !== undefined) return metric
    const expression = byId.get(id)
    if (expression === undefined) throw new MathError(`there is no metric or expression with the id ${id}`)
    if (underWay.has(id)) throw new MathError(`the expression ${id} names itself`)
    underWay.add(id)
    const value = named(id, () => evaluate(expression))
    underWay.delete(id)
    done.set(id, value)
    return value
  }

  function evaluate(node: Expression): MathValue {
    switch (node.kind) {
      case 'number':
      case 'text':
        return node
      case 'id':
        return valueOf(node.id)
      case 'list':
        return { kind: 'list', items: node.items.flatMap((item) => seriesList(evaluate(item))) }
      case 'negative':
        return combine('-', { kind: 'number', value: 0 }, evaluate(node.operand))
      case 'operation':
        return combine(node.operator, evaluate(node.left), evaluate(node.right))
      case 'call':
        return FUNCTIONS[node.name]!.run(node.args.map(evaluate), context)
    }
  }

  return new Map(queries.map(({ id }) => [id, named(id, () => resultOf(valueOf(id), context))]))
}

/** The innermost expression is the one that is at fault. */
function named<T>(id: string, step: () => T): T {
  try {
    return step()
  } catch (err) {
    if (err instanceof MathError) err.id ??= id
    throw err
  }
}

/** @throws MathError as {@link parseMath}, and for an id that is none of `known` */
export function checkMath(text: string, known: ReadonlySet<string>): Expression {
  const expression = parseMath(text)
  for (const id of idsOf(expression)) {
    if (!known.has(id)) throw new MathError(`there is no metric or expression with the id ${id}`)
  }
  return expression
}

/** A number stands for itself in every period that the metrics have. */
function resultOf(value: MathValue, { metrics }: MathContext): readonly Series[] {
  if (value.kind !== 'number') return seriesList(value)
  const all = [...metrics.values()]
  return [seriesOf(timesOf(all), () => value.value, all[0]?.period ?? 60)]
}

function seriesList(value: MathValue): readonly Series[] {
  if (value.kind === 'series') return [value]
  if (value.kind === 'list') return value.items
  throw new MathError(value.kind === 'text' ? `${value.text} is no metric` : 'a metric is needed where a number stands')
}

function combine(operator: string, left: MathValue, right: MathValue): MathValue {
  const step = OPERATORS[operator]!
  if (left.kind === 'number' && right.kind === 'number') return { kind: 'number', value: step(left.value, right.value) }
  if (left.kind === 'text' || right.kind === 'text') throw new MathError(`${operator} takes metrics and numbers`)
  if (left.kind === 'list') {
    return { kind: 'list', items: left.items.flatMap((item) => seriesList(combine(operator, item, right))) }
  }
  if (right.kind === 'list') {
    return { kind: 'list', items: right.items.flatMap((item) => seriesList(combine(operator, left, item))) }
  }
  const all = [left, right].filter((value) => value.kind === 'series')
  const at = (value: Series | { readonly kind: 'number'; readonly value: number }, time: number): number | undefined =>
    value.kind === 'number' ? value.value : value.values.get(time)
  return seriesOf(
    timesOf(all),
    (time) => {
      const [a, b] = [at(left, time), at(right, time)]
      return a === undefined || b === undefined ? undefined : step(a, b)
    },
    Math.max(...all.map(({ period }) => period)),
    ''
  )
}
