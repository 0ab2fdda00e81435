# frozen_string_literal: true

# A worker on the gem redis_ipc: ruby gem.rb CONFIG. It writes the rows that rows.py describes, as far as the gem has them.

require "json"
require "logger"
require "securerandom"
require "uri"
require "redis_ipc"

CONFIG = JSON.parse(ARGV.fetch(0)).freeze
EACH = 1_000_000
LOCK = Mutex.new
ROWS = File.open(CONFIG["history"], "a").tap { |file| file.sync = true }
RANDOM = Random.new(CONFIG["seed"])
TIMEOUT = 5

Thread.report_on_exception = false

def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

def rows(what, *more)
  line = "#{JSON.generate([what, now.round(4), *more])}\n"
  LOCK.synchronize { ROWS.write(line) }
end

rows("begin", CONFIG["process"], Process.pid, "gem", CONFIG["group"], CONFIG["concurrency"])
quiet = false
stop = false
hushed = 0.0
runs = 0
asked = 0

trap("TERM") { stop = true }
trap("INT") {}
Thread.new do
  while (line = $stdin.gets)
    word, seconds = line.split
    quiet = true if word == "quiet"
    hushed = now + seconds.to_f if word == "hush"
  end
  exit!(3) # the harness is gone
end

stream = RedisIPC::Stream.new(CONFIG["stream"], CONFIG["group"])
stream.on_error { |error| rows("told", error.class.name, error.message.to_s[0, 300]) }
stream.on_request do |entry|
  run = LOCK.synchronize { runs += 1 }
  content = entry.content.to_h.transform_keys(&:to_s)
  number, kind, seconds = content.values_at("n", "k", "d")
  rows("run", number, run, 1, entry.redis_id.to_s, entry.id)
  sleep(seconds) if seconds.positive? && !%w[busy cancel later].include?(kind)
  rows("end", number, run)
  answer = {n: number, p: CONFIG["process"], r: run}
  answer[:pad] = content["pad"] if content.key?("pad")
  case kind
  when "ignore" then nil
  when "reject" then stream.reject_request(entry, content: answer)
  when "raise" then stream.reject_request(entry, content: "boom #{number}")
  else stream.fulfill_request(entry, content: answer)
  end
end

def answer_of(content)
  found = content.respond_to?(:to_h) ? content.to_h.transform_keys(&:to_s) : {}
  %w[n p r].all? { |key| found.key?(key) } ? found.values_at("n", "p", "r") : nil
rescue TypeError
  nil
end

def ask(stream, number)
  to = CONFIG["targets"].first
  rows("send", number, to, TIMEOUT, "quick", 0)
  response = stream.send_to_group(content: {n: number, k: "quick", d: 0}, to: to)
  if response.fulfilled?
    rows("outcome", number, "fulfilled", answer_of(response.value), "")
  elsif response.reason.is_a?(RedisIPC::TimeoutError)
    rows("outcome", number, "timeout", nil, "")
  else
    rows("outcome", number, "rejected", answer_of(response.reason), response.reason.to_s[0, 300])
  end
rescue => error
  rows("outcome", number, "gem", nil, "#{error.class}: #{error.message}"[0, 300])
end

address = URI.parse(CONFIG["url"])
stream.connect(
  redis_options: {host: address.host, port: address.port},
  consumer: {pool_size: 4, execution_interval: 0.01},
  dispatcher: {pool_size: 1, execution_interval: 0.01},
  ledger: {entry_timeout: TIMEOUT}
)
rows("up", stream.redis.instance_id)
$stdout.puts("up")
$stdout.flush

due = now
until stop
  due = [due - Math.log(1 - RANDOM.rand) / CONFIG["rate"], now - 1, hushed].max
  sleep(0.05) until stop || quiet || now >= due
  break if stop
  next sleep(0.05) if quiet

  asked += 1
  number = CONFIG["process"] * EACH + asked
  Thread.new { ask(stream, number) }
end
rows("closing")
stream.disconnect
rows("closed")
exit!(0)
