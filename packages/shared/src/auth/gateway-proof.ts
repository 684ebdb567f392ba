/** With it the gateway shows the control plane that a request came through it, and so whose address it names. */
export const GATEWAY_PROOF_HEADER = 'x-hearth-gateway'
