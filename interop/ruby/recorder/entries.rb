# frozen_string_literal: true

require_relative "fixture"
require_relative "reading"
require_relative "scene"

module Recorder
  # Entries as they lie in Redis: one of each status, written by the gem, and odd ones, written by hand.
  module Entries
    def self.record(url, folder)
      Scene.play(url) { |scene| statuses(scene, folder) }
      Scene.play(url) { |scene| odd(scene, folder) }
    end

    def self.statuses(scene, folder)
      seen = []
      answers = {"do" => :fulfill_request, "refuse" => :reject_request}
      scene.endpoint("child") do |entry|
        seen << entry
        send(answers.fetch(entry.content[:please]), entry, content: {said: entry.content[:please], at: [1, 2.5, nil, true]})
      end
      parent = scene.endpoint("parent")
      scene.record
      answers.each_key { |word| scene.ask("parent", parent, "child", {"please" => word}) }
      lines = scene.written.map do |line|
        entry = seen.find { |request| request.redis_id == line[:redis_id] }
        entry ? {**line, read: Reading.of_entry(entry)} : line
      end
      Fixture.write(
        folder, "entries/statuses", kind: "entries", redis: scene.raw, title: "Entries of each status as the gem writes them",
        about: "The fields as given to XADD, with the ID that Redis made; read: as the gem's handler saw it.", stream: scene.stream, entries: lines
      )
    end

    SIX = [["id", "0123456789abcdef01234"], ["instance_id", "7e57e4"], ["status", "pending"], ["content", "x"],
           ["source_group", "tester"], ["destination_group", "web"]].freeze

    def self.without(name) = SIX.reject { |key, _| key == name }

    def self.with(name, value) = SIX.map { |key, old| [key, key == name ? value : old] }

    ODD = {
      "six fields" => SIX,
      "another order" => SIX.reverse,
      "a seventh field" => SIX + [%w[trace abc]],
      "a field twice" => SIX + [%w[content y]],
      "one field only" => [%w[id 0123456789abcdef01234]],
      **SIX.to_h { |key, _| ["no #{key}", without(key)] },
      **SIX.to_h { |key, _| ["#{key} empty", with(key, "")] },
      "status unknown" => with("status", "done"),
      "status in capitals" => with("status", "PENDING"),
      "id in capitals" => with("id", "0123456789ABCDEF01234"),
      "id short" => with("id", "7"),
      "instance_id long" => with("instance_id", "7e57e4" * 5),
      "names with spaces and colons" => with("source_group", "a b:c"),
      "content no UTF-8" => with("content", "\xff\xfe".b),
      "destination_group another" => with("destination_group", "other")
    }.freeze

    def self.odd(scene, folder)
      runs = Queue.new
      scene.endpoint("web") { |entry| runs << entry }
      lines = ODD.map do |name, fields|
        id = scene.add(to: nil, content: nil, fields: fields)
        scene.wait_for("the dispatcher read #{name}") { delivered(scene, id) }
        sleep(0.3)
        line = {name: name, redis_id: id, fields: fields.map { |pair| pair.map { |text| Proxy.sayable(text) } }, **left(scene, id)}
        run = runs.empty? ? nil : runs.pop
        line = {**line, run: !run.nil?, read: run && Reading.of_entry(run)}.compact
        scene.raw.xack(scene.stream, "web", id)
        scene.raw.xdel(scene.stream, id)
        line
      end
      Fixture.write(
        folder, "entries/odd", kind: "entries", redis: scene.raw, title: "Odd entries and what the gem does with them",
        about: "Added by hand to a stream with one endpoint of the gem, group web; looked at 0.3 s after its dispatcher had read each, then removed by hand.",
        stream: scene.stream, entries: lines
      )
    end

    def self.delivered(scene, id)
      last = scene.raw.xinfo(:groups, scene.stream).find { |group| group["name"] == "web" }["last-delivered-id"]
      (last.split("-").map(&:to_i) <=> id.split("-").map(&:to_i)) >= 0
    end

    def self.left(scene, id)
      {
        in_stream: scene.raw.call("XRANGE", scene.stream, id, id).any?,
        pending: scene.raw.call("XPENDING", scene.stream, "web", id, id, 1).any?
      }
    end
  end
end
