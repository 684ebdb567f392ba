/**
 * The functions that every runtime's suite consists of. Each returns what its comment says; `event` is always an object.
 */
export const SCENARIOS = [
  'echo', // the event
  'context', // { functionName, functionVersion, memoryLimitInMB, logGroupName, logStreamName, awsRequestId, invokedFunctionArn, remaining }
  'environment', // all environment variables as an object
  'nothing', // no value at all
  'text', // the JSON string "hellö"
  'error', // throws the language's usual error with the message `boom`
  'custom_error', // throws an error of its own class CustomError with the message `custom boom`
  'later', // "later", after 50 ms of waiting as the language does it (async where it has that)
  'big_in', // the number of characters of event.data (5.9 million)
  'big_out', // a string of event.count times `x`
  'unicode', // { given: event.text, own: "ä€😀\u0000" }
  'unserializable', // a value that cannot be made JSON
  'init_error', // its module (class initialiser) throws the usual error with `init boom` when it is loaded
  'syntax_error', // its module is not a program
  'missing_import', // its module needs a module `no_such_module` that is not there
  'missing_module', // the handler names a file or class that is not in the package
  'missing_handler', // the handler names a function that its module does not have
  'malformed_handler', // the handler has not the form that the language wants
  'timeout', // sleeps for 60 s
  'crash', // ends itself with SIGKILL
  'exit', // ends the process with status 7
  'exit_zero', // ends the process with status 0
  'oom', // takes memory until there is no more
  'stdout_flood', // prints event.lines lines of 100 characters to stdout, then "done"
  'logging', // one line each through stdout `to stdout`, stderr `to stderr` and the language's logger at WARN `to logger`; true
  'levels', // prints `at stdout`, then logs `at <level>` at each level that the language's logger has; true
  'multi_line', // logs `first\nsecond` through the language's logger (stdout where it has none) as one event; true
  'tmp', // counts in the file /tmp/count: 1, 2, …
  'warm', // counts in a global variable: 1, 2, …
  'deadline', // [remaining ms at first, remaining ms after 100 ms]
  'client_context', // client context's `custom` object
  'read_only', // tries to write /var/task/x and /opt/x and /usr/x: the number of those that worked
  'subprocess' // what `sh -c "echo child"` prints, without the newline
] as const

export type Scenario = (typeof SCENARIOS)[number]

/** Scenarios whose failure each language words itself. */
export type Worded =
  | 'error'
  | 'custom_error'
  | 'unserializable'
  | 'init_error'
  | 'syntax_error'
  | 'missing_import'
  | 'missing_module'
  | 'missing_handler'
  | 'malformed_handler'

/** One runtime's column of the table: its functions, and what AWS answers where that differs by language. */
export interface Column {
  /** AWS's identifier, e.g. `python3.11`: one that is exact on the machines that tests run on, where there is one. */
  readonly runtime: string
  /** What runs it where that is not told by the identifier; in the test's name. */
  readonly host?: string
  /** Interpreters that the server is told of, as HEARTH_RUNTIME_PATHS has them. */
  readonly paths?: Readonly<Record<string, readonly string[]>>
  /** Why it cannot be run on this machine, where tests can do without. */
  readonly skip?: string
  /** Needs of the slowest: MiB. */
  readonly memoryMiB: number
  /** Puts the unpacked package with all functions into the empty folder `dir`; compiles if need be. */
  make(dir: string): Promise<void>
  handler(scenario: Scenario): string
  /** Scenarios that this runtime cannot have, each with the reason. */
  readonly unsupported: Partial<Record<Scenario, string>>
  /** The error payload of each, as a tap `match` pattern. */
  readonly errors: Readonly<Record<Worded, Record<string, unknown>>>
}
