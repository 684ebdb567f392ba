# frozen_string_literal: true

require 'json'

module Hearth
  # Errors as Lambda reports them: a type, a message, the function's own frames.
  module Failure
    HERE = __dir__
    MAX_FRAMES = 100

    class << self
      # @param kind - `Init` while the function is loaded, `Function` when its handler failed
      def describe(error, kind)
        { 'errorMessage' => text_of(error), 'errorType' => "#{kind}<#{error.class.name || error.class.to_s}>",
          'stackTrace' => frames(error) }
      end

      def encode(description)
        JSON.generate(description)
      rescue StandardError
        JSON.generate(description.transform_values { |value| value.is_a?(String) ? value.scrub : value.map(&:scrub) })
      end

      # Errors after which the process must not go on.
      def fatal?(error)
        !error.is_a?(StandardError) || error.is_a?(NameError)
      end

      def log_text(message, description, log_format, request_id)
        return "#{message}\n#{JSON.pretty_generate(description)}" unless log_format == 'JSON'

        stamped = { 'timestamp' => Time.now.utc.strftime('%Y-%m-%dT%H:%M:%S.%6NZ'), 'level' => 'ERROR', 'message' => message }
        stamped['requestId'] = request_id unless request_id.nil?
        JSON.generate(stamped.merge(description))
      end

      private

      def text_of(error)
        error.message.to_s.dup.force_encoding(Encoding::UTF_8).scrub
      rescue StandardError
        "#{error.class} without a usable text"
      end

      # Up to the first frame of this runtime, which called the function.
      def frames(error)
        own = (error.backtrace || []).take_while { |frame| !frame.start_with?(HERE) }
        own.reject { |frame| frame.start_with?('<internal:') }.first(MAX_FRAMES)
      end
    end
  end
end
