import { indent, type RuntimeUnderAttack, text } from './runtime.ts'

const KIT = `
require 'fileutils'
require 'socket'

LOOT = []
REFUSED = {}

def attempt(name)
  begin
    error = yield ? nil : 'nothing'
  rescue SystemCallError => e
    error = e.class.name.split('::').last
  rescue StandardError, ScriptError => e
    error = e.class.name
  end
  error.nil? ? LOOT << name : REFUSED[name] = error
  nil
end

def struck
  File.readlines('/tmp/strike-report').each do |line|
    name, error = line.split
    error == '0' ? LOOT << name : REFUSED[name] = error
  end
end

def send_frame(hex)
  socket = Socket.for_fd(3)
  socket.autoclose = false
  socket.write([hex].pack('H*'))
end

def report
  (LOOT.map { |name| "loot\\t#{name}" } + REFUSED.map { |name, error| "refused\\t#{name}\\t#{error}" }).join("\\n")
end
`

export const RUBY: RuntimeUnderAttack = {
  name: 'ruby',
  identifier: 'ruby3.2',
  memoryMiB: 128,
  carrier: `
File.write('/tmp/facts', facts['facts'])
IO.popen([facts['node'], '/var/task/carried.mjs', in: '/tmp/facts'], &:read)
`,
  build: (bodies) => ({
    'kit.rb': text(KIT),
    ...Object.fromEntries(
      bodies.map((body, n) => [
        `attack${n}.rb`,
        text(`
require_relative 'kit'

def attack(facts)
  ${indent(body, 2)}
end

def handler(event:, context:)
  answer = attack(event.split("\\n").to_h { |line| line.split('=', 2) })
  answer.is_a?(String) ? answer : report
end
`)
      ])
    )
  }),
  handlerOf: (n) => `attack${n}.handler`
}
