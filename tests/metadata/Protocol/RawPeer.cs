using System;
using System.Net.Sockets;
using Overlay.Metadata.Protocol;

namespace Overlay.Metadata.Tests.Protocol;

/// <summary>One end of the protocol without manners: sends what it is told to, as client or as agent.</summary>
internal sealed class RawPeer : IDisposable
{
    private readonly Socket _socket;

    private RawPeer(Socket socket)
    {
        _socket = socket;
        _socket.ReceiveTimeout = 10_000;
    }

    public static Socket NewSocket() => new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);

    public static RawPeer Connect(string path)
    {
        var socket = NewSocket();
        socket.Connect(new UnixDomainSocketEndPoint(path));
        return new RawPeer(socket);
    }

    public static RawPeer Accept(Socket listener) => new(listener.Accept());

    public bool TrySend(ReadOnlySpan<byte> packet)
    {
        try
        {
            _socket.Send(packet);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.Shutdown or SocketError.ConnectionReset)
        {
            return false;
        }
    }

    /// <returns>The packet, empty when the other end has hung up.</returns>
    public byte[] Receive()
    {
        var buffer = new byte[AgentMessage.MaxPacket];
        try
        {
            return buffer[.._socket.Receive(buffer)];
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset)
        {
            return [];
        }
    }

    public void Greet()
    {
        TrySend([1, 0, 0, 0, 0, 0, 0, 0, (byte)'O', (byte)'V', (byte)'L', (byte)'A', 1, 0, 1, 0]);
        if (Receive() is not [1, 0x80, 0, 0, ..])
            throw new InvalidOperationException("hello was not answered");
    }

    public void Dispose() => _socket.Dispose();
}
