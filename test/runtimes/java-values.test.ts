import t from 'tap'
import { valueOf } from '../helpers/executor.ts'
import { javaRuntimes, makePackages, startJava } from './java-functions.ts'

// Each case has a sandbox of its own, and the machine may be busy.
t.setTimeout(300_000)

interface Case {
  readonly handler: string
  readonly event?: unknown
  readonly result?: unknown
  /** The answer's text, where it is not JSON or must be the same to the letter. */
  readonly raw?: string
  readonly error?: Record<string, unknown>
}

const PARSING = { errorMessage: 'An error occurred during JSON parsing', errorType: 'java.lang.RuntimeException' }
const SERIALIZATION = {
  errorMessage: 'An error occurred during JSON serialization of response',
  errorType: 'java.lang.RuntimeException'
}
const unreadable = (errorMessage: string | RegExp) => ({
  ...PARSING,
  cause: { errorType: 'java.io.UncheckedIOException', cause: { errorMessage } }
})

const ORDER = { id: 'o1', paid: true, items: [{ price: 5, count: 2 }, { price: 3 }], URL: 'https://example.org' }

const CASES: Record<string, Case> = {
  'a primitive number': { handler: 'Values::primitive', event: 21, result: 42 },
  'a primitive number from a string': { handler: 'Values::primitive', event: '21', result: 42 },
  'a primitive number from null is 0': { handler: 'Values::primitive', event: null, result: 0 },
  'a fraction as an int is cut': { handler: 'Values::primitive', event: 1.9, result: 2 },
  'a number that is out of range': {
    handler: 'Values::primitive',
    event: 3_000_000_000,
    error: unreadable('The number 3000000000 is out of range for int')
  },
  'an object where a number is wanted': {
    handler: 'Values::primitive',
    event: { a: 1 },
    error: unreadable('Cannot read a JSON object as int')
  },
  'a boxed number': { handler: 'Values::boxed', event: 9_007_199_254_740_000, result: 9_007_199_254_740_001 },
  'a boxed null': { handler: 'Values::boxed', event: null, raw: 'null' },
  'a real number': { handler: 'Values::real', event: 5, result: 2.5 },
  'a boolean': { handler: 'Values::truth', event: false, result: true },
  'a character': { handler: 'Values::letter', event: 'a', result: 'b' },
  'a string': { handler: 'Values::text', event: 'ä"\u0007😀', result: 'ä"\u0007😀!' },
  'a string from a number': { handler: 'Values::text', event: 12, result: '12!' },
  'an object where a string is wanted': {
    handler: 'Values::text',
    event: {},
    error: unreadable('Cannot read a JSON object as java.lang.String')
  },
  'a decimal number is exact': { handler: 'Values::decimal', event: 0.2, raw: '0.3' },
  'a number of any size': {
    handler: 'Values::integer',
    event: '123456789012345678901234567890',
    raw: '123456789012345678901234567891'
  },
  'a list of whole numbers': { handler: 'Values::list', event: [1, 2, 3], result: [4, 2, 1] },
  'one value where a list is wanted': { handler: 'Values::list', event: 7, result: [8] },
  'what does not fit, within a list': {
    handler: 'Values::list',
    event: [1, 'x'],
    error: unreadable('Cannot read "x" as java.lang.Integer (at $[1])')
  },
  'an array': { handler: 'Values::array', event: [7, 8], result: [2, 7] },
  'a set of constants': { handler: 'Values::set', event: ['RED', 'RED', 'BLUE'], result: ['RED', 'BLUE'] },
  'bytes come in base64': { handler: 'Values::bytes', event: 'aMO2cmJhcg==', result: 'hörbar' },
  'bytes go in base64': { handler: 'Values::bytesOut', result: 'AAH/' },
  'a constant': { handler: 'Values::constant', event: 'GREEN', result: 'BLUE' },
  'a constant by its number': { handler: 'Values::constant', event: 0, result: 'GREEN' },
  'an unknown constant is null': { handler: 'Values::constant', event: 'PINK', raw: 'null' },
  'a map of lists of beans': {
    handler: 'Values::nestedMap',
    event: { a: [{ price: 1, count: 4 }], b: { price: 2 } },
    result: { A: [{ price: 1, count: 5 }], B: [{ price: 2, count: 2 }] }
  },
  'a map with constants as keys': { handler: 'Values::enumMap', event: { RED: 1 }, result: { RED: 1, BLUE: 3 } },
  'a map that sorts its numbers': {
    handler: 'Values::sortedMap',
    event: { '10': 'b', '9': 'a' },
    raw: '{"9":"a","10":"b"}'
  },
  'a bean': {
    handler: 'Values::bean',
    event: { ...ORDER, unknown: [1] },
    raw: '{"id":"o1","paid":true,"items":[{"price":5,"count":2},{"price":3,"count":1}],"total":13,"URL":"https://example.org","itemCount":2}'
  },
  'what does not fit, within a bean': {
    handler: 'Values::bean',
    event: { items: [{ price: 1 }, { price: [1, 2] }] },
    error: unreadable('Cannot read a JSON array as int (at $.items[1].price)')
  },
  'a string where a bean is wanted': {
    handler: 'Values::bean',
    event: 'text',
    error: unreadable('Cannot read "text" as example.Order')
  },
  'a generic bean': {
    handler: 'Values::generic',
    event: { content: { price: 1 } },
    result: { content: { price: 1, count: 2 } }
  },
  'a record': { handler: 'Values::record', event: { from: 2, names: ['a'] }, raw: '{"from":1,"names":["a"]}' },
  'a class that is made by its constructor': {
    handler: 'Values::immutable',
    event: { name: 'a', size: 1 },
    result: { name: 'a!', size: 2 }
  },
  'any JSON': {
    handler: 'Values::any',
    event: { a: [1, -2.5, 1e30, true, null, '\u2028\ud800'], ä: {} },
    raw: '{"a":[1,-2.5,1.0E30,true,null,"\u2028\\ud800"],"ä":{}}'
  },
  'any fraction is a Double': { handler: 'Values::kindOf', event: 1.5, result: 'Double' },
  'any small number is an Integer': { handler: 'Values::kindOf', event: 1, result: 'Integer' },
  'any larger number is a Long': { handler: 'Values::kindOf', event: 3_000_000_000, result: 'Long' },
  'an Optional': { handler: 'Values::optional', event: 'x', result: [true, 1] },
  'an Optional of nothing': { handler: 'Values::optional', event: null, result: [false, 1] },
  'a point in time': { handler: 'Values::instant', event: '2025-01-02T03:04:05Z', result: '2025-01-02T03:04:06Z' },
  'a date': { handler: 'Values::date', event: '2025-01-02', result: 1_735_776_000_000 },
  'an identifier': {
    handler: 'Values::uuid',
    event: '8c1a0000-0000-4000-8000-000000000000',
    result: '8c1a0000-0000-4000-0000-000000000001'
  },
  'numbers that JSON does not have': { handler: 'Values::strange', raw: '["NaN",1.0E300,0.5,3.0]' },
  'no answer': { handler: 'Values::nothing', event: 'x', raw: 'null' },
  'no answer, boxed': { handler: 'Values::nothingBoxed', raw: 'null' },
  'no parameter': { handler: 'Values::noParameter', result: 'none' },
  'the context alone': { handler: 'Values::onlyContext', result: 'sample' },
  'a static method': { handler: 'Values::ofClass', event: 'mb ', result: 'mb 256' },
  'an object without properties': { handler: 'Values::emptyBean', raw: '{}' },
  'a getter that fails': { handler: 'Failing::getter', error: SERIALIZATION },
  'a type that is known further down': { handler: 'Typed', event: { id: 'o2' }, result: 'Order o2' },
  'a named method counts more than the interface': { handler: 'Typed::named', event: 'x', result: 'named x' },
  'an interface without types': {
    handler: 'Untyped',
    error: { errorMessage: 'Class example.Untyped does not implement RequestHandler with concrete type parameters' }
  },
  'an interface whose answer is Void': { handler: 'Silent', event: 'x', raw: 'null' },
  'the interface of streams': { handler: 'Streams', event: { a: 1 }, raw: 'raw {"a":1}' },
  'a stream to read': { handler: 'Streams::read', event: [1], raw: 'null' },
  'a stream to write': { handler: 'Streams::write', raw: '[1]' },
  'streams both ways': { handler: 'Streams::both', event: { b: 'ü' }, raw: '{"b":"ü"}' },
  'a stream and the context': { handler: 'Streams::writeWithContext', raw: '"sample"' },
  'an answer that is too large': {
    handler: 'Streams::large',
    error: {
      errorMessage: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).',
      errorType: 'Function.ResponseSizeTooLarge'
    }
  },
  'of several methods the one with most parameters': { handler: 'Overloads::most', event: 'x', result: 'two' },
  // One parameter each, but a context counts twice.
  'of two methods the one with the context': { handler: 'Overloads::context', result: 'context' },
  'parameters that no handler has': {
    handler: 'Overloads::impossible',
    error: {
      errorMessage:
        'No public method named impossible with appropriate method signature found on class example.Overloads',
      errorType: 'java.lang.NoSuchMethodException'
    }
  },
  'a method that is not public': {
    handler: 'Overloads::hidden',
    error: { errorType: 'java.lang.NoSuchMethodException' }
  },
  'a constructor that fails': {
    handler: 'BadConstructor::handle',
    error: { errorMessage: 'not today', errorType: 'java.lang.IllegalStateException' }
  },
  'a constructor that wants something': {
    handler: 'NoConstructor::handle',
    error: { errorMessage: 'Class example.NoConstructor has no public zero-argument constructor' }
  },
  'an inner class': {
    handler: 'NoConstructor$Inner::handle',
    error: {
      errorMessage: 'Class example.NoConstructor$Inner cannot be instantiated because it is a non-static inner class'
    }
  },
  'a nested class': { handler: 'NoConstructor$Nested::handle', result: 'nested' },
  'a class without an interface': {
    handler: 'Values',
    error: { errorMessage: 'Class does not implement an appropriate handler interface: example.Values' }
  }
}

t.test('parameters and answers', async (t) => {
  const packages = makePackages(t)
  const runtimes = await javaRuntimes()
  t.ok(runtimes.length > 0, 'there is a JVM of 17 or newer')
  const java = await startJava(t, runtimes[0]!, packages)
  for (const [name, { handler, event, result, raw, error }] of Object.entries(CASES)) {
    const outcome = await java.call(`example.${handler}`, event === undefined ? {} : event)
    if (error !== undefined) t.match(valueOf(outcome), error, name)
    else if (raw !== undefined) t.equal(outcome.payload.toString(), raw, name)
    else t.same(valueOf(outcome), result, name)
    t.equal(outcome.status === 'ok', error === undefined, `${name}: status`)
  }
})

t.test('payloads to the letter', async (t) => {
  const packages = makePackages(t)
  const runtimes = await javaRuntimes()
  const { java } = await startJava(t, runtimes[0]!, packages)
  const echo = java('example.Values::any')
  const send = (payload: string | Buffer) =>
    new Promise<string>((resolve) => {
      echo.invoke({
        requestId: '00000000-0000-4000-8000-000000000000',
        payload: Buffer.from(payload as string),
        invokedArn: '',
        traceId: '',
        clientContext: '',
        tail: false,
        settle: (outcome) => resolve(outcome.payload.toString())
      })
    })
  const same = ['0', '-1', '9223372036854775807', '92233720368547758070', '"\\\\\\"\\b\\f\\n\\r\\t"', '[[],{}]', 'true']
  for (const text of same) t.equal(await send(text), text, text)
  t.equal(await send(''), '{}', 'no payload is an empty object')
  t.equal(await send(' {"a" : 1 , "a":[ ] } '), '{"a":[]}', 'space and a name that comes twice')
  t.equal(await send('"\\u00e4\\ud83d\\ude00\\u0000\\/"'), '"ä😀\\u0000/"', 'escapes')
  t.equal(await send(Buffer.from([0x22, 0xff, 0x22])), '"\ufffd"', 'bytes that are not UTF-8')
  t.equal(await send('[1.0,1e2,-0.0]'), '[1.0,100.0,-0.0]', 'numbers that are written in other ways')

  const bad: Record<string, string> = {
    '{': 'Unexpected end of JSON',
    '[1,]': "Unexpected ']' at byte 3 of the JSON",
    '{"a":1,}': "Unexpected '}' at byte 7 of the JSON",
    "{'a':1}": "Unexpected ''' at byte 1 of the JSON",
    '01': "Unexpected '1' at byte 1 of the JSON",
    '1.': 'Unexpected end of JSON',
    nul: 'Unexpected end of JSON',
    '"\n"': 'Unexpected byte 0x0a at byte 1 of the JSON',
    '"\\x"': "Unexpected 'x' at byte 2 of the JSON",
    '1 2': "Unexpected '2' at byte 2 of the JSON",
    ['['.repeat(1_001)]: 'JSON is nested deeper than 1000',
    ['9'.repeat(1_001)]: 'A number is longer than 1000'
  }
  for (const [text, errorMessage] of Object.entries(bad)) {
    t.match(JSON.parse(await send(text)), unreadable(errorMessage), `refuses ${text.slice(0, 10)}`)
  }
})
