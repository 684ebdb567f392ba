import type { Phases } from '@hearth/executor'
import { contentTypeHeader, StreamedResponse } from './streamed-response.ts'

/** The function's bytes as they are, for whoever invokes it with curl. */
export class RawStream extends StreamedResponse {
  finish(): void {
    this.call.res.end()
  }

  /** @param failed - Whether the function did not do its work to the end */
  end(failed: boolean): void {
    if (failed && !this.call.res.writableEnded) this.cut()
    else this.call.res.end()
  }

  protected begin(contentType: string, phases: Phases): void {
    this.call.res.writeHead(200, ['content-type', contentTypeHeader(contentType), ...this.ownHeaders(phases)])
  }

  protected piece(bytes: Buffer, sent: () => void): void {
    this.write(bytes, sent)
  }
}
