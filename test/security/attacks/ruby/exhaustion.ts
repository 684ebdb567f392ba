import { type Attack, ended } from '../../attack.ts'
import { exhausted, outOfMemory } from '../../exhausted.ts'

/** Everything that there is only so much of, as Ruby asks for it. */
export default [
  {
    name: 'in ruby: takes memory that its own collector does not see',
    in: 'ruby',
    body: `
require 'fiddle'
attempt('400 MiB') do
  full = 'x' * (10 << 20)
  blocks = []
  40.times do
    block = Fiddle::Pointer.new(Fiddle.malloc(full.bytesize), full.bytesize)
    block[0, full.bytesize] = full
    blocks << block
  end
  true
end
`,
    verdict: outOfMemory
  },
  {
    name: 'in ruby: takes descriptors, files and threads without end',
    in: 'ruby',
    settings: 'memory=512',
    body: `
attempt('2,000 descriptors') do
  kept = []
  begin
    kept << File.open('/dev/null') while kept.size < 2000
    true
  ensure
    kept.each(&:close)
  end
end
attempt('200,000 files') do
  made = 0
  stop = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 0.7
  while made < 200_000 && Process.clock_gettime(Process::CLOCK_MONOTONIC) < stop
    File.open("/tmp/file-with-a-long-name-number-#{made}", 'w').close
    made += 1
  end
  made == 200_000
end
attempt('1,100 threads') do
  1100.times { Thread.new { sleep } }
  true
end
`,
    verdict: exhausted
  },
  {
    name: 'in ruby: forks without end, keeps every CPU busy and floods its log',
    in: 'ruby',
    settings: 'timeout=1',
    body: `
fork do
  loop do
    fork
  rescue SystemCallError
    sleep 0.05
  end
end
loop { puts 'x' * 1000 }
`,
    verdict: ended('Sandbox.Timedout', 'Runtime.OutOfMemory')
  }
] satisfies readonly Attack[]
