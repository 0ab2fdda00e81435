/** A JSON value. Integers beyond 2^53 - 1 are read as bigint, and a bigint is written as an integer. */
export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };
