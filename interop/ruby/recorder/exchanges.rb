# frozen_string_literal: true

require_relative "fixture"
require_relative "scene"

module Recorder
  # The transcripts: every Redis command of one exchange between endpoints of the gem, with its reply.
  module Exchanges
    ECHO = ->(entry) { fulfill_request(entry, content: {echo: entry.content}) }

    SHIFTED = "An entry for nobody, added by hand between two rounds, changes whose turn it is to read."

    def self.record(url, folder)
      (singleton_methods(false) - %i[record save]).sort.each do |name|
        Scene.play(url) do |scene|
          title, about = send(name, scene)
          save(scene, folder, name.to_s.tr("_", "-"), title, about)
        end
      end
    end

    def self.save(scene, folder, name, title, about)
      Fixture.write(
        folder, "exchanges/#{name}", kind: "exchange", title: title, about: about, redis: scene.raw, stream: scene.stream,
        endpoints: scene.endpoints.map { |key, value| {name: key, **value} }, outcomes: scene.outcomes, errors: scene.errors,
        transcript: scene.transcript
      )
    end

    def self.connect_and_disconnect(scene)
      scene.record
      endpoint = scene.endpoint("web", consumers: 2)
      sleep(0.2)
      endpoint.disconnect
      scene.stop
      ["An endpoint connects, is idle and disconnects", "Two consumers and one dispatcher; 0.2 s between."]
    end

    def self.connect_again(scene)
      scene.raw.call("XGROUP", "CREATE", scene.stream, "web", "$", "MKSTREAM")
      scene.raw.call("XGROUP", "CREATECONSUMER", scene.stream, "web", "consumer_0ddba1_0")
      scene.record
      scene.endpoint("web")
      sleep(0.1)
      scene.stop
      ["An endpoint connects to a group that is there", "BUSYGROUP is not an error; the other consumer, idle for less than 30 s, is left."]
    end

    def self.request_fulfilled(scene)
      scene.endpoint("child", &ECHO)
      parent = scene.endpoint("parent")
      scene.record
      scene.ask("parent", parent, "child", "Hello!")
      scene.settled
      scene.stop
      ["A request is fulfilled", "Group parent asks group child."]
    end

    def self.request_rejected(scene)
      scene.endpoint("child") { |entry| reject_request(entry, content: "No! <Tantrum initiated>") }
      parent = scene.endpoint("parent")
      scene.record
      scene.ask("parent", parent, "child", {"clean" => "room", "by" => [18, 30]})
      scene.settled
      scene.stop
      ["A request is rejected", "Group parent asks group child."]
    end

    def self.handler_raises(scene)
      scene.endpoint("child") { |_entry| raise "boom" }
      parent = scene.endpoint("parent", timeout: 0.4)
      scene.record
      scene.ask("parent", parent, "child", "Hello!")
      scene.stop
      ["A stream's handler raises", "The request is removed without an answer; the requester, whose timeout is 0.4 s, runs into it."]
    end

    def self.timeout_nobody(scene)
      parent = scene.endpoint("parent", timeout: 0.3)
      scene.record
      scene.ask("parent", parent, "nobody", "Hello?")
      scene.stop
      ["A request to a group that does not exist times out", "The timeout is 0.3 s."]
    end

    def self.timeout_late_answer(scene)
      scene.endpoint("child") do |entry|
        sleep(0.6)
        fulfill_request(entry, content: "late")
      end
      parent = scene.endpoint("parent", timeout: 0.3)
      scene.record
      scene.ask("parent", parent, "child", "Hello?")
      scene.wait_for("the late answer was read") { scene.transcript.any? { |line| line[:command].include?("late") } }
      scene.settled
      scene.stop
      ["The answer comes after the timeout", "The timeout is 0.3 s, the handler takes 0.6 s."]
    end

    def self.bystander(scene)
      scene.endpoint("child", &ECHO)
      scene.endpoint("bystander", &ECHO)
      parent = scene.endpoint("parent")
      scene.record
      scene.ask("parent", parent, "child", 1)
      scene.settled
      sleep(0.1)
      scene.stop
      ["A third group reads what others say", "Group bystander acknowledges the request and the response, and nothing else."]
    end

    def self.two_instances_ask(scene)
      scene.endpoint("child", &ECHO)
      names = %w[parent-1 parent-2]
      parents = names.map { |name| scene.endpoint(name, group: "parent") }
      scene.record
      handed = lambda do
        names.all? do |name|
          mine = "consumer_#{scene.endpoints[name][:instance]}_0"
          scene.transcript.any? { |line| line[:command][0].casecmp?("xclaim") && line[:command][3] == mine && !line[:connection].start_with?("#{name}/") }
        end
      end
      20.times do |n|
        names.zip(parents).map { |name, parent| Thread.new { scene.ask(name, parent, "child", n) } }.each(&:join)
        break if handed.call

        scene.shift
      end
      raise "no hand-over both ways" unless handed.call

      scene.settled
      scene.stop
      ["Two instances of one group ask", "They ask until each got a response that the other one's dispatcher had read. #{SHIFTED}"]
    end

    def self.two_instances_answer(scene)
      names = %w[child-1 child-2]
      names.each { |name| scene.endpoint(name, group: "child") { |entry| fulfill_request(entry, content: name) } }
      parent = scene.endpoint("parent")
      scene.record
      20.times do |n|
        scene.ask("parent", parent, "child", n)
        break if names.all? { |name| scene.outcomes.any? { |outcome| outcome[:content] == name } }

        scene.shift
      end
      scene.settled
      scene.stop
      ["Two instances of one group answer", "Each request is run by the instance whose dispatcher read it. #{SHIFTED}"]
    end

    def self.two_consumers(scene)
      scene.endpoint("child", consumers: 2, &ECHO)
      parent = scene.endpoint("parent")
      scene.record
      3.times.map { |n| Thread.new { scene.ask("parent", parent, "child", n) } }.each(&:join)
      scene.settled
      scene.stop
      ["A dispatcher chooses between two consumers", "Three requests at once."]
    end

    def self.self_request(scene)
      web = scene.endpoint("web", timeout: 0.4, &ECHO)
      scene.record
      scene.ask("web", web, "web", "me")
      scene.stop
      ["A group with one instance asks itself", "The gem takes its own request for a response that it waits for and drops it; it times out after 0.4 s."]
    end

    def self.response_to_nobody(scene)
      web = scene.endpoint("web")
      scene.record
      instance = scene.endpoints["web"][:instance]
      scene.add(to: "web", content: "who asked?", id: "0" * 21, instance_id: instance, status: "fulfilled")
      scene.settled
      scene.stop
      ["A response that nobody waits for", "Added by hand, instance alive, id unknown: acknowledged and deleted."]
    end

    def self.response_to_a_dead_instance(scene)
      scene.endpoint("web")
      scene.record
      scene.add(to: "web", content: "who asked?", id: "0" * 21, instance_id: "dead00", status: "fulfilled")
      scene.wait_for("acknowledged") { scene.transcript.any? { |line| line[:command][0].casecmp?("xack") } }
      scene.stop
      ["A response to an instance without consumers", "Added by hand: acknowledged, and left in the stream for ever."]
    end

    def self.channel_event(scene)
      scene.channel("maths") { event(:add, params: %i[a b]) { params[:a] + params[:b] } }
      shop = scene.channel("shop")
      scene.record
      scene.trigger("shop", shop, :add, "maths", {a: 1, b: 2, c: "not declared"})
      scene.settled
      scene.stop
      ["An event is triggered", "The value of the event is the response."]
    end

    def self.channel_errors(scene)
      scene.channel("maths") { event(:divide, params: %i[a b]) { params[:a] / params[:b] } }
      shop = scene.channel("shop")
      plain = scene.endpoint("plain")
      scene.record
      scene.trigger("shop", shop, :divide, "maths", {a: 1, b: 0})
      scene.trigger("shop", shop, :guess, "maths", {})
      scene.ask("plain", plain, "maths", "Hello!")
      scene.settled
      scene.stop
      ["Events that are rejected", "The event raises; no such event; the content is not an object."]
    end
  end
end
