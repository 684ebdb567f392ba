// The language of log filter patterns: case by case from AWS's behaviour, then what holds for all of them.
import { compileLogFilter } from '@hearth/shared'
import t from 'tap'

const JSON_LINE = JSON.stringify({
  level: 'ERROR',
  latency: 120.5,
  user: { id: 7, email: 'a@example.com', 'first.name': 'Ada' },
  tags: ['x', 'y'],
  gone: null,
  ok: true,
  off: false,
  list: [{ n: 1 }, { n: 2 }]
})
const ACCESS = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'

/** Pattern, messages that it wants, messages that it does not. */
const CASES: readonly (readonly [pattern: string, wanted: readonly string[], unwanted: readonly string[]])[] = [
  ['', ['', 'x'], []],
  ['  ', ['x'], []],
  ['ERROR', ['ERROR', 'an ERRORCODE'], ['error', 'ERRO']],
  ['ERROR Exception', ['Exception: ERROR'], ['ERROR', 'Exception']],
  ['?ERROR ?WARN', ['ERROR', 'x WARN'], ['INFO']],
  ['ERROR -Exiting', ['ERROR'], ['ERROR Exiting', 'INFO']],
  ['-Exiting', ['anything'], ['Exiting']],
  // One that may be there says nothing beside one that must.
  ['?WARN ERROR', ['ERROR'], ['WARN']],
  ['"Task timed out"', ['2 Task timed out after'], ['Task  timed out']],
  ['"say \\"hi\\""', ['say "hi"'], ['say hi']],
  ['-"a b" c', ['c a'], ['c a b']],
  ['Ошибка', ['Ошибка!'], ['ошибка']],
  ['%AUTH\\d+%', ['x AUTH12'], ['AUTH', 'AUTHx']],
  ['%^start%', ['start of'], ['a start']],
  ['%end$%', ['the end', 'the end\n'], ['end.']],
  ['%^$%', ['', '\n'], ['x']],
  ['%colou?r|gr[ae]y%', ['color', 'colour', 'grey'], ['colouur', 'groy']],
  ['%^a{2,3}$%', ['aa', 'aaa'], ['a', 'aaaa']],
  ['%^a{2}b{1,}c*$%', ['aab', 'aabbbcc'], ['ab', 'aac']],
  ['%[^a-z_]%', ['abcD', 'a-b', 'aé'], ['abc_']],
  ['%^\\w+\\s\\S\\W$%', ['ab c!'], ['ab cd']],
  ['%^\\W$%', ['あ', '!'], ['a', '5']],
  ['%10\\.1\\x2e%', ['10.1.'], ['10x1.']],
  ['%[\\]\\-]%', [']', '-'], ['x']],
  ['%a.b%', ['axb', 'aéb'], ['a\nb', 'ab']],
  ['{ $.level = "ERROR" }', [JSON_LINE], ['{"level":"error"}', '{"level":["ERROR"]}', 'level ERROR', '{', '{}']],
  ['{ $.level = ERROR }', [JSON_LINE], ['{"level":"ERRORS"}']],
  ['{$.level="ERR*"}', [JSON_LINE], ['{"level":"xERR"}']],
  ['{ $.level = *RR* }', [JSON_LINE], ['{"level":"R"}']],
  ['{ $.level = %^E\\w+R$% }', [JSON_LINE], ['{"level":"ERROR!"}']],
  ['{ $.level != "INFO" }', [JSON_LINE, '{"level":5}'], ['{"level":"INFO"}', '{}', '{"level":{}}']],
  ['{ $.latency > 120 }', [JSON_LINE], ['{"latency":120}', '{"latency":"121"}', '{}']],
  ['{ $.latency >= 1.205e2 && $.latency <= 120.5 }', [JSON_LINE], ['{"latency":120.4}']],
  ['{ $.latency < -1 }', ['{"latency":-2}'], [JSON_LINE]],
  ['{ $.latency = * }', [JSON_LINE, '{"latency":0}'], ['{}', '{"latency":{}}']],
  ['{ $.user.id = 7 }', [JSON_LINE], ['{"user":7}', '{"user":{"id":"7"}}']],
  ['{ $.user.["first.name"] = Ada || $.x = 1 }', [JSON_LINE, '{"x":1}'], ['{"x":2}']],
  ["{ $.user['first.name'] = Ada }", [JSON_LINE], ['{}']],
  ['{ $.tags[1] = "y" }', [JSON_LINE], ['{"tags":["y"]}', '{"tags":{"1":"y"}}']],
  ['{ $.tags[*] = "x" }', [JSON_LINE], ['{"tags":[]}']],
  ['{ $.tags = "x" }', [], [JSON_LINE]],
  ['{ $.tags != "x" }', [], [JSON_LINE]],
  ['{ $.* = ERROR }', [JSON_LINE], ['{"a":{"b":"ERROR"}}']],
  ['{ $.list[1].n = 2 }', [JSON_LINE], ['{"list":[{"n":2}]}']],
  ['{ $.gone IS NULL }', [JSON_LINE], ['{}', '{"gone":0}']],
  ['{ ($.ok IS TRUE) && ($.off IS FALSE) }', [JSON_LINE], ['{"ok":"true","off":false}']],
  ['{ $.none NOT EXISTS }', [JSON_LINE], ['{"none":null}', 'no JSON']],
  ['{ $.a = 1 || $.b = 1 && $.c = 1 }', ['{"a":1}', '{"b":1,"c":1}'], ['{"b":1}', '{"c":1}']],
  ['{ ($.a = 1 || $.b = 1) && $.c = 1 }', ['{"a":1,"c":1}'], ['{"a":1}']],
  ['{ $.constructor = * }', ['{"constructor":1}'], ['{}']],
  ['[ip, id, user, time, request, status, bytes]', [ACCESS], [`${ACCESS} more`, 'a b c']],
  ['[ip, id, user, time, request, status = 4*, bytes > 1000]', [ACCESS], [ACCESS.replace('404', '200'), 'x']],
  ['[..., status = 404 || status = 410, bytes]', [ACCESS, '410 1'], [ACCESS.replace('404', '405'), '404']],
  ['[ip, ..., bytes >= 1534 && bytes < 2e3]', [ACCESS], [ACCESS.replace('1534', '2000')]],
  ['[ip = 127.0.0.*, ...]', [ACCESS], ['10.0.0.1 x', '']],
  ['[, , user = "frank", ..., request = "GET *", , ]', [ACCESS], [ACCESS.replace('GET', 'PUT')]],
  ['[w1 = ERROR, w2]', ['ERROR x'], ['ERROR', 'ERROR x y']],
  ['[(w1 = ERROR || w1 = %WARN%), w2 != "*x*"]', ['aWARN y'], ['WARN axb', 'INFO y']],
  ['[w1 != 5]', ['6', 'x'], ['5', '5.0']]
]

const INVALID: readonly (readonly [pattern: string, message: RegExp])[] = [
  ['Task.timed', /^Invalid character\(s\) in term 'Task\.timed'$/],
  ['"open', /^Invalid filter pattern: " without a second one at character 1$/],
  ['ERROR %a', /% without a second one/],
  ['?', /^Invalid filter pattern: a term is missing/],
  ['%%', /empty/],
  ['%a(b)%', /'\(' must be escaped/],
  ['%something!%', /'!' must be escaped/],
  ['%[a%', /'\[' without '\]'/],
  ['%[z-a]%', /from the lower/],
  ['%a{3,2}%', /from the lower/],
  ['%a{x}%', /repetitions are written/],
  ['%*%', /'\*' must be escaped/],
  ['%a**%', /'\*' must be escaped/],
  ['%\\q%', /unknown escape/],
  ['%\\xg0%', /hexadecimal/],
  ['%a{999}%', /too long/],
  ['%é%', /'é' must be escaped/],
  ['{ $.a = }', /a value is missing at character 9/],
  ['{ $.a }', /an operator is missing/],
  ['{ a = 1 }', /a selector, which begins with '\$\.', is missing at character 3/],
  ['{ $.a = 1', /'}' is missing/],
  ['{ $.a = 1 } x', /nothing may follow/],
  ['{ ($.a = 1 }', /'\)' is missing/],
  ['{ $.a > "x" }', /> takes a number/],
  ['{ $.a IS 5 }', /NULL, TRUE or FALSE/],
  ['{ $.a[x] = 1 }', /a number or a name in quotes/],
  ['{ $ = 1 }', /begins with '\$\.'/],
  ['{}', /a selector/],
  [`{ ${'('.repeat(60)}`, /too many parentheses/],
  ['[a, b', /',' or '\]' is missing/],
  ['[..., a, ...]', /a second time/],
  ['[a = 1 || b = 1]', /one name, not a and b/],
  ['[= 1]', /name is missing/],
  ['x'.repeat(1_025), /more than 1024 characters/]
]

t.test('each kind of pattern, case by case', (t) => {
  for (const [pattern, wanted, unwanted] of CASES) {
    const filter = compileLogFilter(pattern)
    for (const message of wanted) t.ok(filter.matches(message), `${pattern} wants ${message}`)
    for (const message of unwanted) t.notOk(filter.matches(message), `${pattern} does not want ${message}`)
  }
  t.end()
})

t.test('a wrong pattern is refused with the place of the mistake', (t) => {
  for (const [pattern, message] of INVALID) {
    t.throws(() => compileLogFilter(pattern), { code: 'INVALID_LOG_FILTER', message }, pattern)
  }
  t.end()
})

t.test('values that a metric may take', (t) => {
  const json = compileLogFilter('{ $.level = "ERROR" && $.user.id = 7 }').match(JSON_LINE)
  t.strictSame(json?.values(), { '$.level': 'ERROR', '$.user.id': '7' })
  t.equal(json?.valueOf('$.latency'), '120.5', 'of a selector that is not in the pattern')
  t.equal(json?.valueOf('$.list[1].n'), '2')
  for (const none of ['$.none', '$.tags', '$.user', '$', 'latency', '$.']) t.equal(json?.valueOf(none), undefined, none)
  const fields = compileLogFilter('[ip, ..., status, bytes]').match(ACCESS)
  t.strictSame(fields?.values(), {
    $ip: '127.0.0.1',
    $2: '-',
    $3: 'frank',
    $4: '10/Oct/2000:13:25:15 -0700',
    $5: 'GET /index.html HTTP/1.0',
    $status: '404',
    $bytes: '1534'
  })
  t.equal(fields?.valueOf('$bytes'), '1534')
  t.equal(fields?.valueOf('$none'), undefined)
  t.equal(compileLogFilter('ERROR').match('ERROR 5')?.valueOf('$.x'), undefined)
  t.equal(compileLogFilter('ERROR').match('INFO'), undefined)
  t.end()
})

t.test('regular expressions agree with the ones of the language, and take time in proportion to the text', (t) => {
  // All texts of up to five letters against expressions made of all pairs of these parts.
  const parts = ['a', 'b*', 'a+', '[ab]', '.?', 'c{0,2}', '^', '$', '|', '\\w', '[^b]{2}']
  const texts = ['']
  for (let i = 0; texts.length < 1_000; i++) for (const letter of 'abc') texts.push(`${texts[i]}${letter}`)
  for (const first of parts) {
    for (const second of parts) {
      const source = `a${first}${second}b`
      const filter = compileLogFilter(`%${source}%`)
      const expected = new RegExp(source)
      const other = texts.find((text) => filter.matches(text) !== expected.test(text))
      t.equal(other, undefined, source)
    }
  }
  const dear = compileLogFilter('%a*a*a*a*a*a*a*a*a*a*b%')
  const startedAt = process.cpuUsage().user
  t.notOk(dear.matches('a'.repeat(1_000_000)))
  t.ok(process.cpuUsage().user - startedAt < 2_000_000, 'a megabyte within two seconds')
  t.end()
})
