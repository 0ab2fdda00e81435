import type { Json } from "./json.js";
import { checkFunction, checkOptions } from "./given.js";
import { Member } from "./member.js";
import { ENDPOINT_OPTIONS, type EndpointOptions, type SendOptions, checkSendOptions } from "./options.js";
import type { IncomingRequest } from "./request.js";
import { serveWith } from "./serve.js";

/**
 * Answers a request with what it returns, or resolves to: any JSON value; nothing is null. Throw a Rejection to reject with a reason; any other error
 * rejects as `exposeErrors` says, and is reported as a problem. Return NO_ANSWER to let the requester time out.
 */
export type Handler = (request: IncomingRequest) => unknown;

export interface StreamOptions extends EndpointOptions {
  /** The name of the Redis consumer group: that of the program. Requests are addressed to it. */
  readonly group: string;
  /** Without, requests are left to siblings; where there are none, they are rejected. */
  readonly onRequest?: Handler;
}

/** One instance of a group that asks others, and answers them, with any JSON value. */
export class Stream extends Member {
  private constructor(options: StreamOptions) {
    checkOptions("the options of a Stream", options, [...ENDPOINT_OPTIONS, "group", "onRequest"]);
    const { onRequest } = options;
    if (onRequest !== undefined) checkFunction("onRequest", onRequest);
    const serve = onRequest === undefined ? undefined : serveWith(onRequest, () => this.endpoint.reporter, options.exposeErrors);
    super(options, options.group, serve);
  }

  /** Resolved when any other endpoint can reach this one. Throws InvalidArgument and ConnectFailed. */
  static async connect(options: StreamOptions): Promise<Stream> {
    const stream = new Stream(options);
    await stream.endpoint.connect();
    return stream;
  }

  /**
   * Asks a group, and waits for the answer of one of its members.
   *
   * Throws RequestRejected, RequestTimeout, NoResponders, RequestCancelled, and, before anything is written, InvalidArgument,
   * UnsendableValue, TooManyOutstanding and EndpointClosed. RequestFailed: Redis refuses to store it.
   */
  async send(group: string, value: unknown, options: SendOptions = {}): Promise<Json> {
    checkSendOptions("the options of a send", options);
    return this.request(group, value, options);
  }
}
