/** @param arn - Of a function, with a qualifier perhaps: `arn:aws:lambda:us-east-1:000000000000:function:name:live` */
export function functionNameIn(arn: string): string {
  return arn.split(':')[6] ?? ''
}
