# frozen_string_literal: true

require "json"
require "logger"
require "securerandom"
require "uri"
require "redis_ipc"
require_relative "proxy"

module Recorder
  # One stream of its own with endpoints of the gem on it, each behind a proxy, and a raw connection to play the rest.
  class Scene
    # Small pools and slow polls keep a transcript readable; what is written to Redis does not depend on them.
    CONSUMER = {pool_size: 1, execution_interval: 0.02}.freeze
    DISPATCHER = {pool_size: 1, execution_interval: 0.02}.freeze
    TESTER = "tester" # the group of what is added by hand, instance 7e57e4

    attr_reader :stream, :raw, :outcomes, :errors, :endpoints

    def self.play(url, ...)
      scene = new(url)
      yield scene
    ensure
      scene&.close
    end

    def initialize(url)
      uri = URI(url)
      @host = uri.host
      @port = uri.port || 6379
      @raw = Redis.new(url: url)
      @stream = "fixture-#{SecureRandom.hex(4)}"
      @lines = []
      @open = []
      @outcomes = []
      @errors = []
      @endpoints = {}
      @lock = Mutex.new
      @recording = false
    end

    # A stream of the gem, connected. `answer` is the body of its on_request, called with the entry on the stream.
    def endpoint(name, group: name, timeout: 5, consumers: 1, &answer)
      made = RedisIPC::Stream.new(@stream, group)
      found = errors # the gem runs the blocks on the stream
      made.on_request(&(answer || ->(_entry) {}))
      made.on_error { |error| found << {endpoint: name, error: "#{error.class}: #{error.message}"} }
      join(name, group, made, timeout, consumers) { made.redis.instance_id }
      made
    end

    # A channel of the gem, connected. The block defines its events.
    def channel(name, &events)
      made = Class.new(RedisIPC::Channel)
      made.stream(@stream)
      made.channel(name)
      made.events = ActiveSupport::HashWithIndifferentAccess.new
      made.class_eval(&events) if events
      join(name, name, made, 5, 1) { made.instance_variable_get(:@stream).redis.instance_id }
      made
    end

    # Sends and writes down the outcome.
    def ask(name, endpoint, to, content)
      outcome(name, to, content) { endpoint.send_to_group(to: to, content: content) }
    end

    def trigger(name, channel, event, to, params)
      outcome(name, to, {event: event, params: params}) { channel.trigger_event(event, target: to, params: params) }
    end

    # Adds an entry by hand, the six fields unless others are given; returns its Redis ID.
    def add(to:, content:, id: SecureRandom.hex(11)[0, 21], instance_id: "7e57e4", status: "pending", from: TESTER, fields: nil)
      fields ||= [["id", id], ["instance_id", instance_id], ["status", status], ["content", content], ["source_group", from],
                  ["destination_group", to]]
      @raw.call("XADD", @stream, "*", *fields.flatten)
    end

    # Blocked dispatchers are served in turn: one entry for nobody shifts the turns.
    def shift
      @raw.xdel(@stream, add(to: "nobody", content: "shift").tap { sleep(0.1) })
    end

    # From here on commands are written down.
    def record
      @lock.synchronize do
        @start = Recorder.now
        @recording = true
      end
    end

    def stop
      @lock.synchronize { @recording = false }
      sleep(0.6) # a blocked read of the last moment gets its reply
    end

    def transcript
      @lines.map { |line| {**line, at: (line[:at] - @start).round(2)} }
    end

    # The entries that the endpoints have written since the last call, with their Redis IDs.
    def written
      lines = @lock.synchronize { @lines.slice!(0..) }
      lines.select { |line| line[:command][0] == "xadd" }.map { |line| {redis_id: line[:reply], fields: line[:command][3..].each_slice(2).to_a} }
    end

    # Waits until the block is true.
    def wait_for(what, seconds: 15)
      limit = Recorder.now + (seconds * 1000)
      until (found = yield)
        raise "waited #{seconds} s in vain: #{what}" if Recorder.now > limit

        sleep(0.005)
      end
      found
    end

    def settled(count = 0)
      wait_for("everything answered and removed") { @raw.xlen(@stream) == count }
    end

    def close
      @open.each(&:disconnect)
      @raw.keys("#{@stream}*").each { |key| @raw.del(key) }
      @raw.close
    end

    private

    def join(name, group, made, timeout, consumers)
      proxy = Proxy.new(name, @host, @port, method(:log))
      made.connect(
        redis_options: {host: "127.0.0.1", port: proxy.port}, ledger: {entry_timeout: timeout},
        consumer: {**CONSUMER, pool_size: consumers}, dispatcher: DISPATCHER
      )
      @open << made
      @endpoints[name] = {group: group, instance: yield, consumers: consumers, dispatchers: 1, entry_timeout: timeout}
    end

    def log(line) = @lock.synchronize { @lines << line if @recording }

    def outcome(name, to, content)
      started = Recorder.now
      response = yield
      shown = response.fulfilled? ? response.value : response.reason
      shown = shown.class.name if shown.is_a?(Exception)
      status = response.fulfilled? ? "fulfilled" : (response.reason.is_a?(RedisIPC::TimeoutError) ? "timeout" : "rejected")
      found = {endpoint: name, to: to, sent: content, outcome: status, content: shown, took: (Recorder.now - started).round(1)}
      @lock.synchronize { @outcomes << found }
      found
    end
  end
end
