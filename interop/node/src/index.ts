export { Caller, type CallerOptions } from "./caller.js";
export { Channel, type ChannelEvent, type ChannelOptions, type TriggerOptions } from "./channel.js";
export type { Json } from "./content/json.js";
export { readJson } from "./content/json-read.js";
export { writeJson } from "./content/json-write.js";
export {
  AlreadyAnswered,
  ConnectFailed,
  EndpointClosed,
  InvalidArgument,
  NoResponders,
  RedisIpcError,
  Rejection,
  RequestCancelled,
  RequestFailed,
  RequestRejected,
  RequestTimeout,
  TooManyOutstanding,
  UnsendableValue,
} from "./errors.js";
export type { EndpointEvents, Problem } from "./events.js";
export type { EndpointOptions, SendOptions } from "./options.js";
export { type IncomingRequest, NO_ANSWER } from "./request.js";
export { type Handler, Stream, type StreamOptions } from "./stream.js";
export { VERSION } from "./version.js";
