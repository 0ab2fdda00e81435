// The package redisipc as an implementation under test: the testee protocol 1.0 on stdin and stdout, over the public API.
// With --ask it plays callers, which have no group: the profile ask.
import { AskPort } from "./ask-port.js";
import { Port } from "./port.js";
import { answer, onLine, write } from "./protocol.js";

const port = process.argv.includes("--ask") ? new AskPort() : new Port();

onLine((line) => {
  void answer(port, line).then(({ reply, last }) => {
    write(reply, () => {
      if (last) process.exit(0);
    });
  });
});
