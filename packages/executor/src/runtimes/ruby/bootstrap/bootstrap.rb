# frozen_string_literal: true

# Hearth's Ruby runtime: started ahead of need in a sandbox of its own, it gets ready, waits for INIT, becomes an
# instance of that function and serves events until the gateway ends it.

require 'socket'
require_relative 'serve'
require_relative 'warm_up'

CHANNEL_FD = 3
PROGRESS_FD = 4

# Makes the environment, the working folder and the places of code those of the function.
def enter(facts)
  ENV.replace(facts['env'])
  Dir.chdir(facts['taskRoot'])
  places = ENV.fetch('RUBYLIB', '').split(':').push(facts['taskRoot']).uniq
  $LOAD_PATH.unshift(*places)
  Gem.clear_paths
end

socket = UNIXSocket.for_fd(CHANNEL_FD)
socket.close_on_exec = true
socket.sync = true
# Not used by this runtime, and none of its children's business.
begin
  IO.for_fd(PROGRESS_FD, autoclose: false).close_on_exec = true
rescue SystemCallError, ArgumentError
  nil # beside extensions there is none, or it is Ruby's own
end
channel = Hearth::Channel.new(socket)
Hearth::WarmUp.run
channel.ready
frame = channel.receive
exit if frame.nil?

facts = JSON.parse(frame[3].force_encoding(Encoding::UTF_8))
enter(facts)
server = Hearth::Server.new(channel, facts)
server.init
server.serve
