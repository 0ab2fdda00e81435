# frozen_string_literal: true

# The gem as a contender: `gem.rb check`, `gem.rb serve URL NAME`, `gem.rb ask URL NAME`; lines as benchmarks/worker.py has them.
require "json"
require "logger"
require "securerandom"
require "uri"
require "redis_ipc"

exit 0 if ARGV[0] == "check"
role, url, name = ARGV
redis = URI(url)
$stdout.sync = true

stream = RedisIPC::Stream.new(name, role == "serve" ? "b" : "a")
stream.on_error { |error| warn(error.inspect) }
stream.on_request { |entry| stream.fulfill_request(entry, content: entry.content) } if role == "serve"
stream.on_request { |_entry| } if role == "ask"
stream.connect(redis_options: {host: redis.host, port: redis.port}, logger: Logger.new(IO::NULL), ledger: {entry_timeout: 30})
puts JSON.generate("ready" => true)
$stdin.read if role == "serve"

while (line = $stdin.gets)
  job = JSON.parse(line)
  payload = JSON.parse(job["payload"])
  started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  latencies = Array.new(job["count"]) do
    at = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    response = stream.send_to_group(content: payload, to: "b")
    raise "not fulfilled: #{response.inspect}" unless response.fulfilled?
    Process.clock_gettime(Process::CLOCK_MONOTONIC) - at
  end
  seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - started
  puts JSON.generate("latencies" => latencies, "seconds" => seconds, "errors" => 0)
end
stream.disconnect
