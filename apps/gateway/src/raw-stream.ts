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
    this.head(200, ['content-type', contentTypeHeader(contentType)], phases)
  }

  protected head(status: number, headers: string[], phases: Phases): void {
    const { res, version } = this.call
    res.writeHead(status, [...headers, 'x-amz-executed-version', version, ...this.ownHeaders(phases)])
  }

  protected piece(bytes: Buffer, sent: () => void): void {
    this.write(bytes, sent)
  }
}
