# frozen_string_literal: true

require 'json'

# What a handler gets as `context:`. The name and its methods are those of Lambda's own runtime.
class LambdaContext
  attr_reader :aws_request_id, :invoked_function_arn, :log_group_name, :log_stream_name, :function_name,
              :memory_limit_in_mb, :function_version, :identity, :client_context, :deadline_ms, :tenant_id

  def initialize(event, facts)
    @aws_request_id = event.request_id
    @invoked_function_arn = event.invoked_arn
    @log_group_name = facts['logGroup']
    @log_stream_name = facts['logStream']
    @function_name = facts['functionName']
    @memory_limit_in_mb = facts['memoryMiB'].to_s
    @function_version = facts['functionVersion']
    @client_context = JSON.parse(event.client_context) unless event.client_context.empty?
    @deadline_ms = event.deadline_ms.to_i
  end

  def get_remaining_time_in_millis
    [deadline_ms - Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond), 0].max
  end
end
