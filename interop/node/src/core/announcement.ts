import { readJson } from "../content/json-read.js";
import type { Reply } from "../wire/replies.js";
import { VERSION } from "../version.js";

/** What an instance tells about itself (RIPC-VERS-1). */
export function announcementText(features: readonly string[]): string {
  return JSON.stringify({ spec: "1.0", implementation: "redisipc-node", version: VERSION, language: "javascript", features });
}

/** Whether an announcement has the feature `wakeup`. What is none, or has more, is no error (RIPC-VERS-4). */
export function announcesWakeup(announcement: Reply): boolean {
  if (!Buffer.isBuffer(announcement)) return false;
  try {
    const value = readJson(announcement.toString("utf8"));
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
    return Array.isArray(value.features) && value.features.includes("wakeup");
  } catch {
    return false;
  }
}
