# frozen_string_literal: true

require "base64"
require "socket"

module Recorder
  # Sits between one endpoint and Redis and writes down each command with its reply.
  #
  # All proxies share one lock, held from a command's way to Redis until its reply, so that the transcript has the order in
  # which Redis ran them. A blocking read lets the lock go when it is on its way: it stands where it was sent.
  class Proxy
    # One connection's end: reads RESP2 and keeps the bytes it read.
    class Reader
      attr_reader :raw

      def initialize(socket)
        @socket = socket
        @raw = +"".b
      end

      # The next value, nil at the end of the connection.
      def value
        line = take_line or return :eof
        rest = line[1..].chomp
        case line[0]
        when "*" then rest.to_i.negative? ? nil : Array.new(rest.to_i) { value }
        when "$" then rest.to_i.negative? ? nil : take(rest.to_i + 2)[0...-2]
        when ":" then rest.to_i
        when "-" then {"error" => rest}
        else rest
        end
      end

      private

      def take_line = @socket.gets("\r\n")&.tap { |line| @raw << line }

      def take(size) = @socket.read(size).tap { |bytes| @raw << bytes }
    end

    LOCK = Mutex.new

    attr_reader :port

    # `log` is a method that takes one finished line (a Hash, put in place when the command was sent).
    def initialize(name, host, port, log)
      @name = name
      @target = [host, port]
      @log = log
      @server = TCPServer.new("127.0.0.1", 0)
      @port = @server.addr[1]
      @connections = 0
      Thread.new { loop { serve(@server.accept) } }
    end

    private

    def serve(client)
      label = "#{@name}/#{@connections += 1}"
      redis = TCPSocket.new(*@target)
      [client, redis].each { |socket| socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1) }
      Thread.new do
        relay(label, client, redis)
      rescue IOError, SystemCallError
        nil # the endpoint went away
      ensure
        [client, redis].each(&:close)
      end
    end

    def relay(label, client, redis)
      loop do
        reader = Reader.new(client)
        command = reader.value
        return if command == :eof

        blocking = command.any? { |word| word.casecmp?("BLOCK") }
        line = {at: nil, took: nil, connection: label, command: command.map { |word| Proxy.sayable(word) }, reply: nil}
        finish = lambda do
          answer = Reader.new(redis)
          line[:reply] = Proxy.sayable(answer.value)
          line[:took] = (Recorder.now - line[:at]).round(2)
          client.write(answer.raw)
        end
        LOCK.synchronize do
          line[:at] = Recorder.now.round(2)
          @log.call(line)
          redis.write(reader.raw)
          finish.call unless blocking
        end
        finish.call if blocking
      end
    end

    def self.sayable(value)
      case value
      when Array then value.map { |part| sayable(part) }
      when String
        text = value.dup.force_encoding("UTF-8")
        text.valid_encoding? ? text : {"base64" => Base64.strict_encode64(value)}
      else value
      end
    end
  end

  # Milliseconds on a clock that never steps.
  def self.now = Process.clock_gettime(Process::CLOCK_MONOTONIC, :float_millisecond)
end
