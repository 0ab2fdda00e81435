# frozen_string_literal: true

require "fileutils"
require "json"

module Recorder
  # Writes a fixture: every file has kind, title, about, the versions and the day.
  module Fixture
    def self.write(folder, name, kind:, title:, about:, redis:, **rest)
      path = File.join(folder, "#{name}.json")
      head = {kind: kind, title: title, about: about, recorded: Time.now.utc.strftime("%Y-%m-%d"), versions: versions(redis)}
      FileUtils.mkdir_p(File.dirname(path))
      File.write(path, "#{text({**head, **rest})}\n")
      puts "#{name}: #{rest.values.grep(Array).sum(&:size)} lines"
    end

    def self.versions(redis)
      {
        redis_ipc: RedisIPC::VERSION, ruby: RUBY_VERSION, redis_server: redis.info["redis_version"], redis: Redis::VERSION,
        redis_client: RedisClient::VERSION, activesupport: ActiveSupport.version.to_s, json: JSON::VERSION,
        concurrent_ruby: Concurrent::VERSION
      }
    end

    # JSON with one line for each member of a list, so that a reader (and a diff) sees a transcript line by line; all ASCII, so
    # that nothing invisible hides in it.
    def self.text(fixture)
      parts = fixture.map do |key, value|
        lines = value.is_a?(Array) && value.any? ? "[\n#{value.map { |line| "    #{compact(line)}" }.join(",\n")}\n  ]" : compact(value)
        "  #{compact(key.to_s)}: #{lines}"
      end
      "{\n#{parts.join(",\n")}\n}"
    end

    def self.compact(value)
      case value
      when Hash then "{#{value.map { |key, part| "#{compact(key.to_s)}: #{compact(part)}" }.join(", ")}}"
      when Array then "[#{value.map { |part| compact(part) }.join(", ")}]"
      else JSON.generate(value, max_nesting: 0, ascii_only: true)
      end
    end
  end
end
