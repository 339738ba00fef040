// The names of Boost.Asio and Beast that the server's and the client's coroutines use.
#pragma once

// Asio of Boost 1.74 forgets to include it; g++ 12 notices.
#include <utility>
// The line above has to come first.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>

namespace rockllama::http {

namespace net = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using net::ip::tcp;
template <class T>
using Task = net::awaitable<T>;

// Has an operation leave its error there instead of throwing it.
inline auto into(error_code& error) { return net::redirect_error(net::use_awaitable, error); }

}  // namespace rockllama::http
