// SPDX-License-Identifier: Apache-2.0
//
// The lock under another library's coroutines and executors: Asio, on a thread pool.

#include "asio_pool.h"

#include <gtest/gtest.h>

#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>
#include <atomic>
#include <coroutine>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include <scree/lock.h>

#include "support/coroutine.h"

namespace scree::test {
namespace {

#if SCREE_UNDER_TSAN
constexpr int kCoroutines = 500;
#else
constexpr int kCoroutines = 5'000;
#endif
constexpr int kRounds = 4;
constexpr std::size_t kThreads = 4;

// What the lock protects.
struct Account {
  Lock lock;
  std::int64_t left = 0;
  std::int64_t right = 0;
  std::atomic<int> torn{0};

  void write() {
    ++left;
    ++right;
  }
  void read() {
    if (left != right) ++torn;
  }
  void expect(std::int64_t writes) {
    EXPECT_EQ(left, writes);
    EXPECT_EQ(right, writes);
    EXPECT_EQ(torn, 0);
    EXPECT_TRUE(lock.try_lock());
    lock.unlock();
  }
};

Coroutine use(Account& account, PoolHook& hook, int number, std::atomic<int>& done) {
  co_await Schedule{hook};
  for (int n = 0; n < kRounds; ++n) {
    if ((number + n) % 2 == 0) {
      const bool held = co_await account.lock.lock_async();
      if (!held) co_return;
      account.write();
      if (number % 8 == 0) co_await Schedule{hook};  // holds it across a suspension, and releases it elsewhere
      account.lock.unlock();
    } else {
      const bool held = co_await account.lock.lock_shared_async();
      if (!held) co_return;
      account.read();
      account.lock.unlock_shared();
    }
  }
  ++done;
}

TEST(LockAsio, thousands_of_coroutines_share_one_lock_on_a_pool_with_threads_beside_them) {
  Account account;
  std::atomic<int> done{0};
  std::vector<Coroutine> coroutines;
  asio::thread_pool pool(kThreads);
  PoolHook hook(pool);
  for (int n = 0; n < kCoroutines; ++n) coroutines.push_back(use(account, hook, n, done));
  for (int n = 0; n < kCoroutines; ++n) {
    ASSERT_TRUE(account.lock.lock());
    account.write();
    account.lock.unlock();
  }
  pool.join();
  EXPECT_EQ(done, kCoroutines);
  account.expect(std::int64_t{kCoroutines} * kRounds / 2 + kCoroutines);
}

// As an operation of Asio's: its own coroutines await it. Completes with whether the lock is held.
template <class Token>
auto async_lock(Lock& lock, Token&& token) {
  return asio::async_initiate<Token, void(bool)>(
      [&lock](auto handler) {
        struct Detached {
          struct promise_type {
            Detached get_return_object() noexcept { return {}; }
            std::suspend_never initial_suspend() const noexcept { return {}; }
            std::suspend_never final_suspend() const noexcept { return {}; }
            void return_void() const noexcept {}
            void unhandled_exception() const noexcept { std::terminate(); }
          };
        };
        [](Lock& of, auto completion) -> Detached {
          const bool held = co_await of.lock_async();
          const auto executor = asio::get_associated_executor(completion);
          asio::post(executor, [held, completion = std::move(completion)]() mutable { completion(held); });
        }(lock, std::move(handler));
      },
      token);
}

asio::awaitable<void> use_as_an_operation(Account& account) {
  for (int n = 0; n < kRounds; ++n) {
    const bool held = co_await async_lock(account.lock, asio::use_awaitable);
    if (!held) co_return;
    account.write();
    account.lock.unlock();
  }
}

TEST(LockAsio, is_awaited_by_coroutines_of_asio) {
  Account account;
  asio::thread_pool pool(kThreads);
  for (int n = 0; n < kCoroutines; ++n) asio::co_spawn(pool, use_as_an_operation(account), asio::detached);
  pool.join();
  account.expect(std::int64_t{kCoroutines} * kRounds);
}

// Some of those that wait are destroyed, while others are let on.
TEST(LockAsio, coroutines_are_destroyed_while_they_wait) {
  Account account;
  std::atomic<int> done{0};
  asio::thread_pool pool(kThreads);
  PoolHook hook(pool);
  // These wait while the lock is held shared, so nobody lets them on.
  ASSERT_TRUE(account.lock.lock_shared());
  std::vector<Coroutine> leaving;
  for (int n = 0; n < kCoroutines; ++n) {
    leaving.push_back([](Account& of) -> Coroutine {
      const bool held = co_await of.lock.lock_async();
      if (held) of.lock.unlock();
    }(account));
  }
  // Readers join whenever a part of the queue in front of them has gone.
  std::vector<Coroutine> coroutines;
  for (int n = 0; n < kCoroutines; ++n) coroutines.push_back(use(account, hook, n, done));
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t n = t; n < leaving.size(); n += kThreads) leaving[n].destroy();
    });
  }
  for (auto& thread : threads) thread.join();
  account.lock.unlock_shared();
  pool.join();
  EXPECT_EQ(done, kCoroutines);
  account.expect(std::int64_t{kCoroutines} * kRounds / 2);
}

}  // namespace
}  // namespace scree::test
