// What a module keeps lives as long as its instance: the first call is cold, the later ones are warm.
let visits = 0

exports.handler = async (event, context) => {
  visits++
  console.log('visit', visits, 'by', event.requestContext.http.sourceIp)
  return {
    statusCode: 200,
    headers: { 'content-type': 'application/json' },
    cookies: [`visits=${visits}; Path=/`],
    body: JSON.stringify({ visits, requestId: context.awsRequestId, msLeft: context.getRemainingTimeInMillis() })
  }
}
