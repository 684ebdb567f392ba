# frozen_string_literal: true

require 'json'
require 'logger'

module Hearth
  # What the function writes through `Logger` to stdout or stderr goes over the channel, one event for each entry; what it
  # prints goes to stdout as it is.
  module Logs
    class << self
      attr_accessor :channel, :seq, :request_id, :format, :level

      def install(channel, log_format, level)
        self.channel = channel
        self.format = log_format
        self.level = level
        self.seq = 0
        $stdout.sync = true
        $stderr.sync = true
      end

      # What JSON can hold.
      def utf8(text)
        text.to_s.encode('UTF-8', invalid: :replace, undef: :replace).scrub
      end
    end

    SEVERITIES = { 'UNKNOWN' => 'FATAL', 'ANY' => 'FATAL' }.freeze
    JSON_LEVELS = { 'TRACE' => 0, 'DEBUG' => 0, 'INFO' => 1, 'WARN' => 2, 'ERROR' => 3, 'FATAL' => 4 }.freeze

    # Stands for stdout or stderr as a logger's device.
    class Device
      def write(text)
        severity = Thread.current[:hearth_severity] || 'INFO'
        at_ms = Process.clock_gettime(Process::CLOCK_REALTIME, :float_millisecond)
        Logs.channel.log(Logs.seq, at_ms, SEVERITIES.fetch(severity, severity), text.chomp)
        text.bytesize
      end

      def close; end
    end

    # Lambda's line: like Logger's own, with the request id.
    class TextFormatter < Logger::Formatter
      LINE = '%s, [%s #%d] %5s %s -- %s: %s'

      def call(severity, time, progname, message)
        Thread.current[:hearth_severity] = severity
        Kernel.format(LINE, severity[0], format_datetime(time), Process.pid, severity, Logs.request_id, progname,
                      msg2str(message))
      end
    end

    # One object for each entry.
    class JsonFormatter < Logger::Formatter
      FRAME = /\A(?<file>.+):(?<line>\d+):in [`'](?<method>.+)'\z/

      def call(severity, time, progname, message)
        Thread.current[:hearth_severity] = severity
        fields = { 'timestamp' => time.utc.strftime('%Y-%m-%dT%H:%M:%S.%6NZ'), 'level' => severity }
        fields['message'] = Logs.utf8(message.is_a?(Exception) ? message.message : msg2str(message))
        fields['requestId'] = Logs.request_id unless Logs.request_id.nil?
        fields['logger'] = Logs.utf8(progname) unless progname.nil? || progname.to_s.empty?
        fields.update(failure(message)) if message.is_a?(Exception)
        JSON.generate(fields)
      end

      private

      def failure(error)
        lines = (error.backtrace || []).map { |line| Logs.utf8(line) }
        fields = { 'errorType' => error.class.to_s, 'errorMessage' => Logs.utf8(error.message), 'stackTrace' => lines }
        fields['location'] = lines[0].sub(FRAME, '\\k<file>:\\k<method>:\\k<line>') unless lines.empty?
        fields
      end
    end

    # Put before Logger, so that a logger for stdout or stderr is one of these.
    module Redirect
      def initialize(device = nil, *args, **options, &block)
        unless Logs.channel.nil? || ![$stdout, $stderr, STDOUT, STDERR].include?(device)
          json = Logs.format == 'JSON'
          options[:formatter] ||= json ? JsonFormatter.new : TextFormatter.new
          options[:level] ||= JSON_LEVELS.fetch(Logs.level, 1) if json
          device = Device.new
        end
        super(device, *args, **options, &block)
      end
    end
  end
end

Logger.prepend(Hearth::Logs::Redirect)
