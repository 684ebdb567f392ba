/** How requests to one of AWS's services are signed. */
export interface SigningService {
  /** How far off clients' clocks may be. */
  readonly skewMinutes: number
  /** Where the service is the same in all regions: the region that clients sign for when they know that. */
  readonly globalRegion?: string
}

/** Most regional services. */
const REGIONAL: SigningService = { skewMinutes: 5 }

/**
 * Services that are otherwise than most. One that is served and is like most needs no line here: its route says that
 * it is signed for it.
 *
 * @see reference: IAM §6.5, row 4
 */
const OTHERS: ReadonlyMap<string, SigningService> = new Map([
  ['iam', { skewMinutes: 15, globalRegion: 'us-east-1' }],
  ['sts', { skewMinutes: 15, globalRegion: 'us-east-1' }],
  ['s3', { skewMinutes: 15 }],
  ['dynamodb', { skewMinutes: 15 }]
])

/** @param name - As in a credential scope. */
export function signingService(name: string): SigningService {
  return OTHERS.get(name) ?? REGIONAL
}
