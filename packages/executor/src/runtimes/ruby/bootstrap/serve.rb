# frozen_string_literal: true

require 'json'
require_relative 'channel'
require_relative 'context'
require_relative 'failure'
require_relative 'handler'
require_relative 'logs'

module Hearth
  # Becomes a function's instance and serves its events, one after the other.
  class Server
    TRACE = '_X_AMZN_TRACE_ID'
    INIT_FAILED = 252
    FATAL = 255
    TOO_LARGE = "Response payload size exceeded maximum allowed payload size (#{Channel::MAX_RESPONSE_BYTES} bytes)."

    def initialize(channel, facts)
      @channel = channel
      @facts = facts
    end

    # Loads the handler; ends the process when that fails, after telling why.
    def init
      Logs.install(@channel, @facts['logFormat'], @facts['logLevel'])
      @handler = Handler.new(@facts['handler'])
      @channel.init_ok
    rescue SystemExit
      raise
    rescue Exception => e # a file may raise anything
      description = Failure.describe(e, 'Init')
      log(0, "Init error when loading handler #{@facts['handler']}", description)
      @channel.init_error(description['errorType'], Failure.encode(description))
      exit!(INIT_FAILED)
    end

    # Serves events until the gateway closes the channel.
    # @param handler - anything that answers `call(event, context)`
    def serve(handler = @handler)
      while (frame = @channel.receive)
        type, seq, meta, payload = frame
        invoke(handler, Channel.event(seq, meta, payload)) if type == Channel::INVOKE
      end
    end

    private

    def invoke(handler, event)
      Logs.seq = event.seq
      Logs.request_id = event.request_id
      ENV[TRACE] = event.trace_id.empty? ? nil : event.trace_id
      started = Process.clock_gettime(Process::CLOCK_MONOTONIC, :microsecond)
      begin
        body = run(handler, event)
      rescue Exception => e # a handler may raise anything
        return failed(event, started, e)
      end
      return @channel.result(event.seq, since(started), body) if body.bytesize <= Channel::MAX_RESPONSE_BYTES

      type = 'Function.ResponseSizeTooLarge'
      @channel.error(event.seq, since(started), type, JSON.generate('errorMessage' => TOO_LARGE, 'errorType' => type))
    ensure
      Logs.seq = 0
    end

    def run(handler, event)
      value = event.payload.empty? ? {} : JSON.parse(event.payload)
      result = handler.call(value, LambdaContext.new(event, @facts))
      # Streams carry JSON, or what the caller must make of their bytes.
      return JSON.generate(result.read.force_encoding(Encoding::UTF_8).scrub) if result.respond_to?(:read)

      JSON.generate(result)
    end

    def failed(event, started, error)
      description = Failure.describe(error, 'Function')
      fatal = Failure.fatal?(error)
      log(event.seq, fatal ? 'Critical exception from handler' : 'Error raised from handler method', description)
      @channel.error(event.seq, since(started), description['errorType'], Failure.encode(description), exiting: fatal)
      exit!(FATAL) if fatal
    end

    def log(seq, message, description)
      at_ms = Process.clock_gettime(Process::CLOCK_REALTIME, :float_millisecond)
      text = Failure.log_text(message, description, @facts['logFormat'], seq.zero? ? nil : Logs.request_id)
      @channel.log(seq, at_ms, 'ERROR', text)
    end

    def since(started)
      [Process.clock_gettime(Process::CLOCK_MONOTONIC, :microsecond) - started, 0xFFFFFFFF].min
    end
  end
end
