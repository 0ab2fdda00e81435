# frozen_string_literal: true

# Records the fixtures of interop/fixtures/ from the gem redis_ipc, wherever Ruby finds it:
#
#   REDIS_URL=redis://localhost:6379 ruby record.rb FOLDER [entries] [content] [channel] [exchanges]
#
# Each part plays on a stream of its own with a random name and removes it again. No word: all parts.

Encoding.default_external = Encoding::UTF_8
variant = ARGV.delete("--activesupport") ? "activesupport" : "plain"
require "active_support"
require "active_support/json" if variant == "activesupport"

require_relative "recorder/channels"
require_relative "recorder/content"
require_relative "recorder/entries"
require_relative "recorder/exchanges"

folder, *parts = ARGV
abort("Usage: REDIS_URL=redis://HOST:PORT ruby record.rb FOLDER [entries] [content] [channel] [exchanges]") if folder.nil? || !ENV.key?("REDIS_URL")
url = ENV.fetch("REDIS_URL")
parts = %w[entries content channel exchanges] if parts.empty?
Thread.report_on_exception = false

Recorder::Entries.record(url, folder) if parts.include?("entries")
Recorder::Channels.record(url, folder) if parts.include?("channel")
Recorder::Exchanges.record(url, folder) if parts.include?("exchanges")
if parts.include?("content")
  Recorder::Content.record(url, folder, variant)
  # The other encoder changes the whole process, so it gets one of its own.
  paths = $LOAD_PATH.flat_map { |path| ["-I", path] }
  system(RbConfig.ruby, *paths, __FILE__, "--activesupport", folder, "content", exception: true) if variant == "plain"
end
