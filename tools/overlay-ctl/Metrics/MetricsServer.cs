using System;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Overlay.Crypto;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Metrics;

/// <summary>
/// The least of HTTP/1.1 that a scraper needs: GET and HEAD of /metrics, one answer a connection. Few at a time, each within some
/// seconds and bytes: who is slow, or sends much, or comes in numbers, is let go and keeps nobody else.
/// </summary>
internal sealed class MetricsServer : IDisposable
{
    private const int MostAtATime = 8, LongestRequest = 8192, Backlog = 16;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly Socket _listener;
    private readonly Func<string> _write;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _oneWriterAtATime = new(1, 1);
    private readonly Task _accepting;
    private int _served;

    /// <summary>Listens when this returns.</summary>
    internal MetricsServer(IPEndPoint address, Func<string> write)
    {
        _write = write;
        _listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _listener.Bind(address);
            _listener.Listen(Backlog);
        }
        catch (SocketException exception)
        {
            _listener.Dispose();
            throw new ControlException(ExitCodes.Failed, $"metrics cannot be served at {address}: {exception.Message}. Give --metrics another port, or end what listens there.");
        }
        Address = (IPEndPoint)_listener.LocalEndPoint!;
        _accepting = Task.Run(Accept);
    }

    internal IPEndPoint Address { get; }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _accepting.Wait();
    }

    private async Task Accept()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Socket client = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
                _ = Serve(client);
            }
            catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // Out of descriptors, or he has gone already. Those who wait stay in the backlog.
                await Task.Delay(TimeSpan.FromMilliseconds(100)).ConfigureAwait(false);
            }
        }
    }

    private async Task Serve(Socket client)
    {
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        late.CancelAfter(s_patience);
        try
        {
            using NetworkStream stream = new(client, ownsSocket: true);
            if (Interlocked.Increment(ref _served) > MostAtATime)
                await stream.WriteAsync(Answer("503 Service Unavailable", "too many at a time\n", isHead: false), late.Token).ConfigureAwait(false);
            else
                await stream.WriteAsync(await Respond(stream, late.Token).ConfigureAwait(false), late.Token).ConfigureAwait(false);
            client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // Too slow, or gone: nobody waits for an answer.
        }
        finally
        {
            Interlocked.Decrement(ref _served);
        }
    }

    private async Task<byte[]> Respond(NetworkStream stream, CancellationToken late)
    {
        string? line = await ReadRequest(stream, late).ConfigureAwait(false);
        string[] words = line?.Split(' ') ?? [];
        if (words.Length != 3 || !words[2].StartsWith("HTTP/1.", StringComparison.Ordinal))
            return Answer("400 Bad Request", "a request of HTTP/1.1 is expected\n", isHead: false);
        bool isHead = words[0] == "HEAD";
        if (!isHead && words[0] != "GET")
            return Answer("405 Method Not Allowed", "GET and HEAD are\n", isHead: false, "Allow: GET, HEAD\r\n");
        if (words[1].Split('?')[0] != "/metrics")
            return Answer("404 Not Found", "it is at /metrics\n", isHead);
        await _oneWriterAtATime.WaitAsync(late).ConfigureAwait(false);
        try
        {
            return Answer("200 OK", _write(), isHead, type: MetricsText.ContentType);
        }
        catch (Exception exception) when (exception is ErrnoException or VolumeException)
        {
            // The cause names paths: it is for the log, and not for whoever asks.
            Console.Error.WriteLine($"overlay-ctl: metrics: {exception.Message}");
            return Answer("500 Internal Server Error", "the agent or its store does not answer\n", isHead);
        }
        finally
        {
            _oneWriterAtATime.Release();
        }
    }

    /// <summary>The first line, when all of the head has come; null: it is too long, or ends too early.</summary>
    private static async Task<string?> ReadRequest(NetworkStream stream, CancellationToken late)
    {
        byte[] head = new byte[LongestRequest];
        for (int length = 0; length < head.Length;)
        {
            int count = await stream.ReadAsync(head.AsMemory(length), late).ConfigureAwait(false);
            if (count == 0)
                return null;
            length += count;
            if (head.AsSpan(0, length).IndexOf("\r\n\r\n"u8) >= 0 || head.AsSpan(0, length).IndexOf("\n\n"u8) >= 0)
                return Encoding.ASCII.GetString(head, 0, head.AsSpan(0, length).IndexOf((byte)'\n')).TrimEnd('\r');
        }
        return null;
    }

    private static byte[] Answer(string status, string body, bool isHead, string headers = "", string type = "text/plain; charset=utf-8")
    {
        int length = Encoding.UTF8.GetByteCount(body);
        string head = string.Create(CultureInfo.InvariantCulture,
            $"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nContent-Length: {length}\r\n{headers}Cache-Control: no-store\r\nConnection: close\r\n\r\n");
        return Encoding.UTF8.GetBytes(isHead ? head : head + body);
    }
}
