// npm start: sets up what is missing, then starts the control plane and the gateway and keeps both running.
import { serve } from './serve.mjs'
import { runScript, setup } from './setup.mjs'

await runScript(async () => {
  setup()
  await serve({ showKey: true })
})
