# frozen_string_literal: true

require "base64"
require "json"

module Recorder
  # A value as the gem read it, said in JSON where JSON can.
  module Reading
    def self.of(value)
      kind = {class: value.class.name}
      return {**kind, base64: Base64.strict_encode64(value)} unless utf8?(value)

      {**kind, value: value.tap { JSON.generate(value, max_nesting: 0) }}
    rescue JSON::GeneratorError
      {**kind, inspect: value.inspect}
    end

    def self.of_entry(entry)
      {
        id: entry.id, instance_id: entry.instance_id, status: entry.status, content: of(entry.content),
        source_group: entry.source_group, destination_group: entry.destination_group
      }
    end

    def self.utf8?(text) = !text.is_a?(String) || text.dup.force_encoding("UTF-8").valid_encoding?
  end
end
