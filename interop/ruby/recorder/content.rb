# frozen_string_literal: true

require_relative "fixture"
require_relative "reading"
require_relative "scene"
require_relative "values"

module Recorder
  # Two tables: a value, its bytes on the wire and what a gem reads in them; a text and what a gem reads in it.
  module Content
    # `variant` is plain, or activesupport where that JSON encoder was loaded before.
    def self.record(url, folder, variant)
      Scene.play(url) { |scene| sent(scene, folder, variant) }
      Scene.play(url) { |scene| read(scene, folder) } if variant == "plain"
    end

    def self.sent(scene, folder, variant)
      seen = Queue.new
      scene.endpoint("web") do |entry|
        given = entry.content
        if given.is_a?(Hash) && given.key?(:send)
          begin
            fulfill_request(entry, content: eval(given[:send])) # rubocop:disable Security/Eval
            seen << nil
          rescue => e
            seen << e
          end
        else
          seen << given
        end
      end
      lines = Values::SENT.map { |expression| {ruby: expression, **one(scene, seen, expression)} }
      loaded = variant == "plain" ? "with the json gem's encoder only" : "in a process that has loaded active_support/json, as any Rails application has"
      Fixture.write(
        folder, "content/sent-#{variant}", kind: "content", redis: scene.raw, title: "Values and their text, sent by the gem #{loaded}",
        about: "ruby: the expression that the handler answered with; text: the bytes of the field content; read: what another gem reads in them.",
        variant: variant, cases: lines
      )
    end

    def self.one(scene, seen, expression)
      scene.add(to: "web", content: JSON.generate({send: expression}))
      error = seen.pop
      scene.settled(error ? 0 : 1)
      return {raises: "#{error.class}: #{Reading.utf8?(error.message) ? error.message[0, 120] : error.class}"} if error

      text = scene.raw.call("XRANGE", scene.stream, "-", "+").dig(0, 1).each_slice(2).to_h["content"].b
      scene.raw.xtrim(scene.stream, 0)
      {text: Proxy.sayable(text), **back(scene, seen, text)}
    end

    def self.back(scene, seen, text)
      scene.add(to: "web", content: text)
      read = seen.pop
      scene.settled
      {read: Reading.of(read)}
    end

    def self.read(scene, folder)
      seen = Queue.new
      scene.endpoint("web") { |entry| seen << entry.content }
      lines = Values::READ.map { |text| {text: Proxy.sayable(text.b), **back(scene, seen, text)} }
      Fixture.write(
        folder, "content/read", kind: "content", redis: scene.raw, title: "Texts and what the gem reads in them",
        about: "Added by hand as requests; read: what the gem's handler got.", variant: "read", cases: lines
      )
    end
  end
end
