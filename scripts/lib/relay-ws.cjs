// A relay as it is usually written with Node and `ws`: every event is read as JSON and written as JSON, both ways.
// usage: NODE_PATH=<where ws is> node relay-ws.cjs PORT ws://127.0.0.1:UPSTREAM
const { WebSocket, WebSocketServer } = require('ws')

const [port, upstream] = process.argv.slice(2)

const pass = (from, to, waiting) => from.on('message', data => {
  const event = JSON.stringify(JSON.parse(data))
  if (to.readyState === WebSocket.CONNECTING) waiting.push(event)
  else if (to.readyState === WebSocket.OPEN) to.send(event)
})

const server = new WebSocketServer({ host: '127.0.0.1', port: Number(port), perMessageDeflate: false })
server.on('connection', (caller, request) => {
  const provider = new WebSocket(upstream + request.url, { perMessageDeflate: false })
  const waiting = []
  pass(caller, provider, waiting)
  pass(provider, caller, waiting)
  provider.on('open', () => waiting.splice(0).forEach(event => provider.send(event)))
  for (const [one, other] of [[caller, provider], [provider, caller]]) {
    one.on('close', () => other.close())
    one.on('error', () => other.terminate())
  }
})
server.on('listening', () => console.log('relay ready'))
process.on('SIGTERM', () => process.exit(0))
