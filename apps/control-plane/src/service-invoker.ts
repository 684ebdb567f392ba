/** An event that a service of this server has for a function. */
export interface ServiceInvocation {
  /** Lower-case UUID, which becomes the request id. Sent again with the same one, it is one event. */
  readonly eventId: string
  /** With a qualifier, if it is for one. */
  readonly functionArn: string
  /** `logs.amazonaws.com`: the function's own policy must let it in. */
  readonly service: string
  /** What it calls on account of. */
  readonly sourceArn: string
  /** JSON. */
  readonly payload: string
}

export type ServiceAnswer =
  /** It is on disk, and will be run as any asynchronous event is. */
  | { readonly status: 'accepted' }
  /** There is no such function, or its policy does not let the service in; asking again would not help. */
  | { readonly status: 'refused'; readonly code: string; readonly message: string }

/** Hands events to the gateway's queue. */
export interface ServiceInvoker {
  /** @throws Error when the gateway cannot be reached or cannot take it now: to be tried again */
  invoke(invocation: ServiceInvocation): Promise<ServiceAnswer>
  /** Whether {@link invoke} would be accepted; nothing is run. @throws Error as above */
  check(invocation: Omit<ServiceInvocation, 'eventId' | 'payload'>): Promise<ServiceAnswer>
  /**
   * Puts an event of the platform on the default bus. @param id - As `eventId` above
   * @throws Error as above
   */
  putEvent(event: {
    readonly id: string
    readonly source: string
    readonly detailType: string
    readonly resources: readonly string[]
    readonly detail: object
  }): Promise<void>
}
