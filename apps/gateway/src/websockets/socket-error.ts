/** What a client of a WebSocket API is told of a failure, as API Gateway writes it. */
export function socketError(message: string, connectionId: string, requestId: string): string {
  return `{"message": ${JSON.stringify(message)}, "connectionId":"${connectionId}", "requestId":"${requestId}"}`
}
