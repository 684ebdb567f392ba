import { randomBytes } from 'node:crypto'

/** 88 random bits as API Gateway writes its ids: `L0SM9cOFvHcCIhw=`. Who knows a connection's id may still not use it. */
export function newSocketId(): string {
  return `${randomBytes(11).toString('base64url')}=`
}

export const CONNECTION_ID = /^[A-Za-z0-9_-]{15}=$/
