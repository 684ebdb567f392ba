# frozen_string_literal: true

module Hearth
  # The channel to the gateway: length-prefixed frames over a socket that this process was started with.
  # packages/executor/src/protocol.ts describes the frames. The gateway is trusted: nothing that comes is checked.
  class Channel
    INIT = 1
    INVOKE = 2
    READY = 16
    INIT_OK = 17
    INIT_ERROR = 18
    RESULT = 19
    ERROR = 20
    LOG = 21

    # On an answer: the process is about to end and takes no further event.
    EXITING = 1

    LEVELS = %w[TRACE DEBUG INFO WARN ERROR FATAL].freeze
    INFO = 2
    MAX_RESPONSE_BYTES = 6_291_556

    HEADER_BYTES = 12
    MAX_LOG_BYTES = 262_144
    MAX_ERROR_TYPE_BYTES = 256

    # One invocation as it came over the channel.
    Event = Struct.new(:seq, :deadline_ms, :request_id, :trace_id, :invoked_arn, :client_context, :payload)

    # @param transport - answers `read(bytes)` and `write(string)`; both block
    def initialize(transport)
      @transport = transport
      @lock = Mutex.new
    end

    # The next frame as [type, seq, meta, payload], or nil when the gateway has closed the channel.
    def receive
      header = @transport.read(HEADER_BYTES)
      return nil if header.nil? || header.bytesize < HEADER_BYTES

      length, type, _flags, meta_length, seq = header.unpack('VCCvV')
      body = length.zero? ? String.new : @transport.read(length)
      return nil if body.nil? || body.bytesize < length

      [type, seq, body.byteslice(0, meta_length), body.byteslice(meta_length, length - meta_length)]
    end

    # Reads an INVOKE's meta.
    def self.event(seq, meta, payload)
      deadline = meta.unpack1('E')
      at = 8
      texts = Array.new(4) do
        size = meta.byteslice(at, 2).unpack1('v')
        text = meta.byteslice(at + 2, size).force_encoding(Encoding::UTF_8)
        at += 2 + size
        text
      end
      Event.new(seq, deadline, *texts, payload.force_encoding(Encoding::UTF_8))
    end

    def ready = send_frame(READY, 0, 0, '', '')

    def init_ok = send_frame(INIT_OK, 0, 0, '', '')

    def init_error(error_type, body) = send_frame(INIT_ERROR, 0, 0, short(error_type), body)

    def result(seq, micros, body) = send_frame(RESULT, 0, seq, [micros].pack('V'), body)

    def error(seq, micros, error_type, body, exiting: false)
      send_frame(ERROR, exiting ? EXITING : 0, seq, [micros].pack('V') + short(error_type), body)
    end

    # Sends one log event; a longer one than a frame takes goes as several.
    def log(seq, at_ms, level, text)
      meta = [at_ms, LEVELS.index(level) || INFO].pack('EC')
      data = text.b
      at = 0
      loop do
        send_frame(LOG, 0, seq, meta, data.byteslice(at, MAX_LOG_BYTES))
        at += MAX_LOG_BYTES
        break if at >= data.bytesize
      end
    end

    private

    def send_frame(type, flags, seq, meta, payload)
      frame = [meta.bytesize + payload.bytesize, type, flags, meta.bytesize, seq].pack('VCCvV')
      frame << meta.b << payload.b
      @lock.synchronize { @transport.write(frame) }
    end

    def short(error_type)
      error_type.encode(Encoding::ISO_8859_1, invalid: :replace, undef: :replace).b.byteslice(0, MAX_ERROR_TYPE_BYTES)
    end
  end
end
