# frozen_string_literal: true

require_relative "fixture"
require_relative "scene"

module Recorder
  # Channel requests and what comes back: those that the gem sends, and others added by hand.
  module Channels
    # As given to trigger_event: event, params.
    TRIGGERED = [
      [:add, {a: 1, b: 2}], ["add", {"a" => 1, "b" => 2}], [:add, {}], [:add, {a: 1, b: 2, c: 3}], [:add, {a: {deep: [1]}, b: nil}],
      [:nothing, {}], [:missing, {}], [:raises, {}], ["", {}], [nil, {}], [7, {}], [:add, nil], [:add, []]
    ].freeze

    # Content as it is added by hand.
    BY_HAND = [
      '{"event":"add","params":{"a":1,"b":2}}', '{"params":{"a":1,"b":2},"event":"add"}', '{"event":"add"}', '{"event":"add","params":null}',
      '{"event":"add","params":[1,2]}', '{"event":"add","params":"x"}', '{"event":"add","params":7}', '{"event":"add","params":{"A":1}}',
      '{"event":"add","params":{"a":1},"meta":{"trace":"x"},"more":1}', '{"event":"nothing","params":{"a":1}}', '{"params":{}}', "{}", '{"event":null,"params":{}}',
      '{"event":7,"params":{}}', '{"event":["add"],"params":{}}', '{"event":"ADD","params":{}}', '{"event":" add","params":{}}', '{"event":"value_nil","params":{}}',
      '{"event":"value_text","params":{}}', '{"event":"value_number_text","params":{}}', '{"event":"value_object","params":{}}', '{"event":"raises","params":{}}', '{"event":"raises_plain","params":{}}',
      "plain text", "", "7", "1.5", "null", "true", "[]", '["event"]', '"{\"event\":\"add\"}"'
    ].freeze

    def self.record(url, folder)
      Scene.play(url) do |scene|
        seen = Queue.new
        maths(scene, seen)
        shop = scene.channel("shop")
        scene.record
        triggered = TRIGGERED.map { |event, params| triggered(scene, seen, shop, event, params) }
        Fixture.write(
          folder, "channel/triggered", kind: "channel", redis: scene.raw, title: "Events triggered by the gem",
          about: "ruby: what was given to trigger_event; content: the request's content; saw: the params as the event's block saw them; response: what came back.",
          declared: DECLARED, cases: triggered
        )
        by_hand = BY_HAND.map { |text| answered(scene, seen, text) }
        Fixture.write(
          folder, "channel/received", kind: "channel", redis: scene.raw, title: "Channel requests added by hand",
          about: "content: the request's content; saw: the params as the event's block saw them; response: what came back.",
          declared: DECLARED, cases: by_hand
        )
      end
    end

    DECLARED = {add: %w[a b], nothing: [], value_nil: [], value_text: [], value_number_text: [], value_object: [], raises: [], raises_plain: []}.freeze

    def self.maths(scene, seen)
      saw = ->(event, value) { seen << event.params.to_h and value } # the params are gone once the event is over
      scene.channel("maths") do
        event(:add, params: %i[a b]) { saw.call(self, "added") }
        event(:nothing) { saw.call(self, nil) }
        event(:value_nil) { saw.call(self, nil) }
        event(:value_text) { saw.call(self, "text") }
        event(:value_number_text) { saw.call(self, "123") }
        event(:value_object) { saw.call(self, {sum: 3, parts: [1, 2]}) }
        event(:raises) { saw.call(self, nil) or raise ArgumentError, "the reason" }
        event(:raises_plain) { saw.call(self, nil) or raise }
      end
    end

    def self.triggered(scene, seen, shop, event, params)
      outcome = scene.trigger("shop", shop, event, "maths", params)
      request, response = scene.written.map { |line| line[:fields].to_h }
      {
        ruby: "trigger_event(#{event.inspect}, target: \"maths\", params: #{params.inspect})", content: request["content"],
        **result(seen, response), outcome: outcome[:outcome]
      }
    end

    def self.answered(scene, seen, text)
      id = scene.add(to: "maths", content: text)
      scene.wait_for("the request is gone") { scene.raw.call("XRANGE", scene.stream, id, id).empty? }
      {content: text, **result(seen, scene.written[0]&.fetch(:fields).to_h)}
    end

    def self.result(seen, response)
      saw = seen.empty? ? {} : {saw: seen.pop}
      {**saw, response: {status: response.fetch("status"), content: response.fetch("content")}}
    end
  end
end
