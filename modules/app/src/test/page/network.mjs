/** A way to the node that can be cut, without a word to either side. */
import { connect, createServer } from 'node:net';

export class Network {
  #server;
  #sockets = new Set();
  #down = false;

  static async to(port) {
    const network = new Network();
    network.#server = createServer(near => network.#join(near, connect(port, '127.0.0.1')));
    await new Promise(done => network.#server.listen(0, '127.0.0.1', done));
    return network;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}/`;
  }

  cut() {
    this.#down = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  heal() {
    this.#down = false;
  }

  close() {
    this.cut();
    this.#server.close();
  }

  #join(near, far) {
    for (const [one, other] of [[near, far], [far, near]]) {
      this.#sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
    if (this.#down) near.resetAndDestroy();
  }
}
