# frozen_string_literal: true

# The gem redis_ipc as an implementation under test: the testee protocol 1.0 over its public API.
#
# A handler waits in the gem's own thread until the runner says what it does. What the gem has no means for (a timeout for one
# request, most options, rejecting an event with anything but a message) is refused, never played.

require "json"
require "logger"
require "optparse"
require "securerandom"
require "uri"
require "redis_ipc"

# A call that is answered with an error: its code and what cannot be done.
class Refused < StandardError
  attr_reader :code

  def initialize(message, code = -32000)
    super(message)
    @code = code
  end
end

# Writes lines to the runner, from any thread.
module Wire
  LOCK = Mutex.new

  def self.write(**message)
    text = JSON.generate({jsonrpc: "2.0", **message}, max_nesting: 0)
    LOCK.synchronize do
      $stdout.puts(text)
      $stdout.flush
    end
  end

  # A number that JSON has no other text for.
  Huge = Struct.new(:text) { def to_json(*) = text }

  # Text that is no UTF-8 cannot be said in JSON, infinity only as a number that is too large.
  def self.sayable(value)
    case value
    when Float then value.finite? ? value : Huge.new(value.negative? ? "-1e400" : "1e400")
    when String then value.dup.force_encoding("UTF-8").scrub
    when Hash then value.to_h { |key, part| [sayable(key.to_s), sayable(part)] }
    when Array then value.map { |part| sayable(part) }
    else value
    end
  end
end

# While its group is gone, an endpoint reports a thousand errors a second. Of equal ones the first hundred pass, then twenty a second.
class Reports
  FIRST = 100
  PAUSE = 0.05 # seconds

  def initialize
    @told = Hash.new { |told, error| told[error] = [0, 0.0] }
    @lock = Mutex.new
  end

  def pass?(error)
    now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    @lock.synchronize do
      count, last = @told[[error.class, error.message]]
      next false if count >= FIRST && now - last < PAUSE

      @told[[error.class, error.message]] = [count + 1, now]
      true
    end
  end
end

# A handler that fails as the runner says, distinguished from whatever else the gem may report.
class HandlerFailed < StandardError; end

# The gem hands the entry to Event#execute but keeps it from the event's block; the runner wants its id.
class EventWithEntry < RedisIPC::Channel::Event
  def execute(entry:, **)
    Thread.current[:entry] = entry
    super
  end
end

# One handler that was started. `stream` is nil for an event, which answers by its value or exception.
Started = Struct.new(:stream, :entry, :ending)

class Testee
  ABOUT = {protocol: "1.0", name: "redis_ipc (gem)", version: RedisIPC::VERSION, language: "ruby #{RUBY_VERSION}", spec: ["1.0"],
           profiles: %w[base group channel resilient], features: []}.freeze
  GRACE = 20 # seconds

  def initialize(consumers:, dispatchers:, interval:)
    @consumer = {pool_size: consumers, execution_interval: interval}
    @dispatcher = {pool_size: dispatchers}
    @endpoints = {}
    @timeouts = {}
    @started = {}
    @handles = 0
    @lock = Mutex.new
  end

  def do_hello(protocol:) = ABOUT

  def do_connect(endpoint:, url:, stream:, group:, options: {}, events: nil)
    odd = options.keys - %w[timeout concurrency connect_timeout close_timeout] # it waits for no handler, so it is within every close_timeout
    raise Refused, "the gem has no option for #{odd.join(", ")}" if odd.any?

    @timeouts[endpoint] = options.fetch("timeout", 5)
    consumer = {**@consumer, pool_size: options.fetch("concurrency", @consumer[:pool_size])}
    target = events ? channel(endpoint, stream, group, events) : stream(endpoint, stream, group)
    begin
      target.connect(redis_options: redis(url, options.fetch("connect_timeout", 5)), ledger: {entry_timeout: @timeouts[endpoint]}, consumer: consumer, dispatcher: @dispatcher)
    rescue
      end_later(inner(target))
      raise
    end
    @endpoints[endpoint] = target
    commands = inner(target).redis
    tell_when_written(commands)
    {instance: commands.instance_id}
  end

  def do_send(endpoint:, to:, content:, timeout: nil, call: nil)
    ask(endpoint, timeout) { |stream| stream.send_to_group(content: content, to: to) }
  end

  def do_trigger(endpoint:, event:, target:, params: {}, timeout: nil, call: nil)
    ask(endpoint, timeout) { |channel| channel.trigger_event(event, target: target, params: params) }
  end

  def do_fulfill(endpoint:, request:, content:)
    finish(request) do |started|
      started.stream&.fulfill_request(started.entry, content: content)
      -> { content }
    end
  end

  def do_reject(endpoint:, request:, content:)
    finish(request) do |started|
      next -> { raise HandlerFailed, content } if started.stream.nil? && content.is_a?(String)
      raise Refused, "the gem rejects an event with an exception's message, a string" if started.stream.nil?

      started.stream.reject_request(started.entry, content: content)
      -> {}
    end
  end

  def do_raise(endpoint:, request:, message:)
    finish(request) { -> { raise HandlerFailed, message } }
  end

  def do_ignore(endpoint:, request:)
    finish(request) do |started|
      raise Refused, "an event of the gem always answers" if started.stream.nil?

      -> {}
    end
  end

  def do_disconnect(endpoint:)
    target = known(@endpoints, endpoint) # it stays in the table, so that the gem itself refuses what it is asked afterwards
    leaving(inner(target)) { target.disconnect }
    {}
  end

  def do_shutdown
    @endpoints.each_value(&:disconnect)
    {}
  end

  def handle(line)
    message = JSON.parse(line, max_nesting: 0)
  rescue JSON::ParserError => e
    Wire.write(id: nil, error: {code: -32700, message: Wire.sayable(e.message)})
  else
    answer(message)
  end

  # A handler begins: tells the runner and does what it says.
  def received(endpoint, stream, entry, **about)
    started = Started.new(stream, entry, Queue.new)
    handle = @lock.synchronize { "r#{@handles += 1}" }
    @started[handle] = started
    about = {**about, id: entry.id, source: entry.source_group, instance: entry.instance_id, content: entry.content}
    Wire.write(method: "received", params: {endpoint: endpoint, request: handle, **Wire.sayable(about)})
    started.ending.pop.call
  end

  private

  def answer(message)
    Wire.write(id: message["id"], result: call("do_#{message["method"]}", message["params"] || {}))
    exit!(0) if message["method"] == "shutdown"
  rescue Refused => e
    Wire.write(id: message["id"], error: {code: e.code, message: e.message})
  rescue => e
    Wire.write(id: message["id"], error: {code: -32000, message: Wire.sayable("#{e.class}: #{e.message}")})
  end

  def call(name, params)
    raise Refused.new("no method #{name}", -32601) unless respond_to?(name)

    method = public_method(name)
    given = params.transform_keys(&:to_sym)
    missing = method.parameters.filter_map { |kind, key| key if kind == :keyreq } - given.keys
    unknown = given.keys - method.parameters.map(&:last)
    raise Refused.new("missing #{missing}, unknown #{unknown}", -32602) if missing.any? || unknown.any?

    method.call(**given)
  end

  # A channel does not tell its stream.
  def inner(target) = target.is_a?(Class) ? target.instance_variable_get(:@stream) : target

  # The gem never ends the timer that cleans an endpoint's ledger. A process with the timers of a thousand endpoints is busy with them.
  def leaving(stream)
    timer = stream&.instance_variable_get(:@ledger)&.instance_variable_get(:@cleanup_task)
    commands = stream&.redis
    yield
    timer&.shutdown
  rescue
    end_later(stream, commands, timer)
    raise
  end

  # What could not connect or leave looks for entries for ever, and reports a thousand errors a second once its Redis is gone. What it
  # does in the first seconds is its own. Then it ends, as its process serves other endpoints, too.
  def end_later(stream, commands = stream&.redis, timer = stream&.instance_variable_get(:@ledger)&.instance_variable_get(:@cleanup_task))
    return if commands.nil?

    Concurrent::ScheduledTask.execute(GRACE) do
      timer&.shutdown
      readers = ObjectSpace.each_object(RedisIPC::Stream::Consumer).select { |each| each.redis.equal?(commands) }
      readers.each { |each| each.instance_variable_get(:@task).shutdown }
    end
  end

  def known(table, key) = table.fetch(key) { raise Refused.new("unknown: #{key}", -32602) }

  # The gem lets its default host and port win over a URL, so the URL is taken apart here.
  def redis(url, timeout)
    uri = URI(url)
    parts = {host: uri.host, port: uri.port || 6379, username: uri.user, password: uri.password, db: uri.path.delete("/")}
    {timeout: timeout, **parts.reject { |_, value| value.nil? || value == "" }} # seconds; a busy machine is not a fault of the gem
  end

  # So that requests stand in the stream in the order in which the runner sent them.
  def tell_when_written(commands)
    commands.define_singleton_method(:add_to_stream) { |entry| super(entry).tap { Thread.current[:written]&.push(true) } }
  end

  def reporter(endpoint)
    reports = Reports.new
    ->(error) { Wire.write(method: "error", params: Testee.problem(endpoint, error)) if reports.pass?(error) }
  end

  def stream(endpoint, name, group)
    testee = self
    tell = reporter(endpoint)
    RedisIPC::Stream.new(name, group)
      .on_request { |entry| testee.received(endpoint, self, entry) }
      .on_error { |error| tell.call(error) }
  end

  def channel(endpoint, name, group, events)
    made = Class.new(RedisIPC::Channel)
    made.stream(name)
    made.channel(group)
    made.on_error = reporter(endpoint) # its `on_error do` is lost in a subclass
    made.events = ActiveSupport::HashWithIndifferentAccess.new # or all channels would share one table
    testee = self
    events.each do |event|
      made.events[event["event"]] = EventWithEntry.new(event["params"]) do
        testee.received(endpoint, nil, Thread.current[:entry], event: event["event"], params: params.to_h)
      end
    end
    made
  end

  def finish(request)
    started = known(@started, request)
    started.ending << yield(started)
    {}
  rescue Refused
    raise
  rescue => e
    started&.ending&.push(-> { raise e }) # the error came out of a call in the handler
    raise
  end

  def ask(endpoint, timeout)
    target = known(@endpoints, endpoint)
    unless [nil, @timeouts[endpoint]].include?(timeout)
      raise Refused, "the gem has one timeout an endpoint (entry_timeout), none for one request"
    end

    response = yield target
    return {outcome: "fulfilled", content: Wire.sayable(response.value)} if response.fulfilled?
    return {outcome: "timeout", content: nil} if response.reason.is_a?(RedisIPC::TimeoutError)

    {outcome: "rejected", content: Wire.sayable(response.reason)}
  end

  def self.problem(endpoint, error)
    {endpoint: endpoint, kind: error.is_a?(HandlerFailed) ? "handler" : error.class.name, message: Wire.sayable(error.message)}
  end
end

settings = {consumers: 3, dispatchers: 2, interval: 0.001} # as in the gem's README
OptionParser.new("Usage: ruby testee.rb [options]: the testee protocol on stdin and stdout") do |parser|
  parser.on("--consumers N", Integer, "consumers of an endpoint, #{settings[:consumers]}")
  parser.on("--dispatchers N", Integer, "dispatchers of an endpoint, #{settings[:dispatchers]}")
  parser.on("--interval SECONDS", Float, "how often a consumer looks, #{settings[:interval]}")
end.parse!(into: settings)
testee = Testee.new(**settings)
Thread.report_on_exception = false
$stdin.each_line do |line|
  written = Queue.new
  Thread.new(line) do |text|
    Thread.current[:written] = written
    testee.handle(text)
    written << true
  end
  written.pop(timeout: 0.05) # seconds; a call that takes longer does not keep the next one waiting
end
exit!(0)
