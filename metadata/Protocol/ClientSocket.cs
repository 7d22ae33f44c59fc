using System;
using Overlay.Metadata.Interop;

namespace Overlay.Metadata.Protocol;

/// <summary>The client's socket: made, written to, awaited. Failures are exceptions here.</summary>
internal static unsafe class ClientSocket
{
    private const int PacketsCloseOnExec = SocketCalls.SequencedPackets | SocketCalls.CloseOnExec;

    internal static int Connect(string path, int timeoutMilliseconds)
    {
        using SocketAddress address = new(path);
        int socket = SocketCalls.Socket(SocketCalls.AddressFamilyUnix, PacketsCloseOnExec, 0);
        if (socket < 0)
            throw Errno.Failure("making a socket");
        LimitWaiting(socket, timeoutMilliseconds);
        fixed (byte* bytes = address.Bytes)
        {
            while (SocketCalls.Connect(socket, bytes, (uint)address.Bytes.Length) < 0)
            {
                int error = Errno.Last;
                if (error == Errno.Interrupted)
                    continue;
                _ = FileCalls.Close(socket);
                // A full backlog that stayed full for the whole timeout.
                throw Errno.Failure(error == Errno.TryAgain ? Errno.TimedOut : error, $"connecting to the agent at {path}");
            }
        }
        return socket;
    }

    /// <summary>Makes a socket pair, sends one end over <paramref name="shared"/>, returns the other.</summary>
    internal static int MakePairOver(int shared, int timeoutMilliseconds, int counterSlot)
    {
        int* pair = stackalloc int[2];
        if (SocketCalls.SocketPair(SocketCalls.AddressFamilyUnix, PacketsCloseOnExec, 0, pair) < 0)
            throw Errno.Failure("making a socket pair");
        LimitWaiting(pair[0], timeoutMilliseconds);
        Span<byte> packet = stackalloc byte[AgentMessage.HeaderSize + sizeof(ushort)];
        PacketWriter adopt = new(packet, AgentMessage.Adopt, 0, 0);
        if (counterSlot != AgentClient.NoCounters)
            adopt.UInt16((ushort)counterSlot);
        int error = PacketSocket.SendWithDescriptor(shared, packet[..adopt.Length], pair[1]);
        _ = FileCalls.Close(pair[1]);
        if (error == 0)
            return pair[0];
        _ = FileCalls.Close(pair[0]);
        throw Errno.Failure(WaitedTooLong(error), "handing a connection to the agent");
    }

    internal static void SendWithDescriptor(int socket, ReadOnlySpan<byte> packet, int descriptor)
    {
        int error = PacketSocket.SendWithDescriptor(socket, packet, descriptor);
        if (error != 0)
            throw Errno.Failure(WaitedTooLong(error), "writing to the agent");
    }

    internal static void Send(int socket, ReadOnlySpan<byte> packet)
    {
        int error = PacketSocket.Send(socket, packet, 0);
        if (error != 0)
            throw Errno.Failure(WaitedTooLong(error), "writing to the agent");
    }

    /// <param name="received">A descriptor that came along, the caller's to close; -1 if none.</param>
    /// <returns>The length of the packet, at least 1.</returns>
    internal static int Receive(int socket, Span<byte> buffer, long deadline, out int received)
    {
        bool wasReset = false;
        while (true)
        {
            WaitReadable(socket, deadline);
            int length = PacketSocket.Receive(socket, buffer, out received);
            if (length > 0)
                return length;
            if (length == -Errno.TryAgain)
                continue;
            // The kernel reports the reset ahead of what the agent said before it hung up; that comes next.
            if (length == -Errno.ConnectionReset && !wasReset)
            {
                wasReset = true;
                continue;
            }
            throw Errno.Failure(length == 0 ? Errno.ConnectionReset : -length, "reading from the agent");
        }
    }

    private static void WaitReadable(int socket, long deadline)
    {
        PollEntry entry = new() { Descriptor = socket, Wanted = PollEntry.Readable };
        while (true)
        {
            long left = Math.Max(0, deadline - Environment.TickCount64);
            int ready = SocketCalls.Poll(&entry, 1, (int)Math.Min(left, int.MaxValue));
            if (ready > 0)
                return;
            if (ready < 0 && Errno.Last != Errno.Interrupted)
                throw Errno.Failure("waiting for the agent");
            if (ready == 0)
                throw Errno.Failure(Errno.TimedOut, "the agent does not answer");
        }
    }

    private static int WaitedTooLong(int error) => error == Errno.TryAgain ? Errno.TimedOut : error;

    private static void LimitWaiting(int socket, int timeoutMilliseconds)
    {
        TimeValue limit = new()
        {
            Seconds = timeoutMilliseconds / 1000, Microseconds = timeoutMilliseconds % 1000 * 1000L,
        };
        _ = SocketCalls.SetOption(
            socket, SocketCalls.SocketLevel, SocketCalls.OptionSendTimeout, &limit, (uint)sizeof(TimeValue));
    }
}
