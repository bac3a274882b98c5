#include "duet.h"

#include "fiber.h"
#include "support/fake_env.h"

namespace nbform::crash {

namespace {

// Gives the turn away where a loop would wait for its next event.
class TurnEnv : public MortalEnv {
 public:
  using MortalEnv::MortalEnv;

  ExchangeId send(Request request, std::function<void(Result<Response>)> done) override {
    return MortalEnv::send(std::move(request), [this, done = std::move(done)](Result<Response> answer) {
      stirred_ = true;
      done(std::move(answer));
    });
  }
  TimerId after(Duration delay, std::function<void()> fn) override {
    return MortalEnv::after(delay, [this, fn = std::move(fn)] {
      stirred_ = true;
      fn();
    });
  }
  bool step() override {
    stirred_ = dead();
    fiber_->yield();
    return true;
  }

  void begin(std::function<void()> body) {
    fiber_ = std::make_unique<Fiber>(std::move(body));
    stirred_ = true;
  }
  // Lets the loop run until it waits again, if anything happened to it.
  void play() {
    if (stirred_ && !over()) fiber_->resume();
  }
  bool over() const { return fiber_ != nullptr && fiber_->over(); }

 private:
  std::unique_ptr<Fiber> fiber_;
  bool stirred_ = false;
};

}  // namespace

class Duet {
 public:
  Duet(Rehearsal& stage, const std::array<Voice, 2>& voices) : stage_(stage), voices_(voices) {
    for (int i : {0, 1}) {
      sim::SimOptions network = voices[i].network;
      network.timeline = line_;
      envs_[i] = std::make_unique<TurnEnv>(stage.world, outside_[i], network);
      line_->add(line_->now() + voices[i].begins, [this, i] { enter(i); });
    }
  }

  std::array<Ending, 2> play() {
    while (!envs_[0]->over() || !envs_[1]->over()) {
      line_->run_next();
      for (auto& env : envs_) env->play();
    }
    for (int i : {0, 1}) endings_[i].died = envs_[i]->dead();
    bool passed = false;
    line_->add(line_->now() + std::chrono::seconds(5), [&] { passed = true; });
    while (!passed) line_->run_next();
    stage_.world.advance(line_->now());
    return endings_;
  }

 private:
  void enter(int i) {
    envs_[i]->begin([this, i] {
      const Voice& voice = voices_[i];
      endings_[i] = stage_.run_as(*envs_[i], stage_.new_actor(), voice.files, voice.wish, voice.death);
    });
  }

  Rehearsal& stage_;
  const std::array<Voice, 2>& voices_;
  std::shared_ptr<sim::Timeline> line_ = std::make_shared<sim::Timeline>(stage_.world.now());
  std::array<FakeEnv, 2> outside_;
  std::array<std::unique_ptr<TurnEnv>, 2> envs_;
  std::array<Ending, 2> endings_;
};

std::array<Ending, 2> run_both(Rehearsal& stage, const std::array<Voice, 2>& voices) {
  return Duet(stage, voices).play();
}

}  // namespace nbform::crash
