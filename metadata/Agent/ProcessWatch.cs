using System.Collections.Generic;
using System.Runtime.InteropServices;
using Overlay.Metadata.Protocol;

namespace Overlay.Metadata.Agent;

/// <summary>What the agent knows of the work of its clients.</summary>
/// <param name="connections">The server's list: as it is now.</param>
internal sealed class ProcessWatch(IReadOnlyList<Connection> connections)
{
    private const int RecordSize = 2 * sizeof(uint) + 1 + CounterValues.Length * sizeof(ulong);

    private CounterValues _ended;

    /// <summary>False: what came is no table of counters.</summary>
    internal static bool TryShare(Connection from, int descriptor)
    {
        SharedCounters? counters = SharedCounters.Map(descriptor);
        from.CountIn(counters, 0);
        return counters is not null;
    }

    /// <summary>A child counts in the table of the connection that it came by. False: there is no such slot.</summary>
    internal static bool TryInherit(Connection parent, Connection child, int slot)
    {
        if (slot is < 0 or >= CounterSlots.Count)
            return false;
        child.CountIn(parent.Counters, slot);
        return true;
    }

    internal void End(Connection connection) => connection.EndCounting(ref _ended);

    /// <param name="first">How many the client has already.</param>
    internal void List(uint first, ref PacketWriter answer)
    {
        Write(_ended, ref answer);
        answer.UInt32((uint)connections.Count);
        int countAt = answer.Length;
        answer.UInt16(0);
        ushort listed = 0;
        for (uint i = first; i < connections.Count && answer.Room >= RecordSize; i++, listed++)
        {
            Connection connection = connections[(int)i];
            CounterValues counters = default;
            connection.Counters?.AddTo(ref counters, connection.CounterSlot);
            answer.UInt32((uint)connection.ProcessId);
            answer.UInt32(connection.UserId);
            answer.Byte(connection.Counters is null ? (byte)0 : (byte)1);
            Write(counters, ref answer);
        }
        answer.SetUInt16(countAt, listed);
    }

    private static void Write(in CounterValues counters, ref PacketWriter answer) =>
        answer.Bytes(MemoryMarshal.AsBytes<ulong>(counters));
}
