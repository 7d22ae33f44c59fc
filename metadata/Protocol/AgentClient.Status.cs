using System;
using System.Collections.Generic;
using Overlay.Metadata.Interop;

namespace Overlay.Metadata.Protocol;

/// <summary>What the agent says of itself and of who is connected.</summary>
public sealed partial class AgentClient
{
    /// <summary>What the agent says of itself.</summary>
    public AgentStatus GetStatus()
    {
        lock (_oneCallAtATime)
        {
            PacketReader reply = Call(Begin(AgentMessage.Status), out int failure);
            if (failure != 0)
                throw Errno.Failure(failure, "asking for the agent's status");
            TimeSpan uptime = TimeSpan.FromMilliseconds((long)reply.UInt64());
            long found = (long)reply.UInt64();
            long handedOut = (long)reply.UInt64();
            int connections = (int)reply.UInt32();
            int count = reply.UInt16();
            List<AgentVolumeStatus> volumes = new();
            for (int i = 0; i < count; i++)
            {
                byte[] volumeId = reply.Bytes(AgentMessage.VolumeIdSize).ToArray();
                int pooledKeys = (int)reply.UInt32();
                volumes.Add(new AgentVolumeStatus(volumeId, reply.Text(), pooledKeys));
            }
            Expect(reply.IsComplete);
            return new AgentStatus(_agentProcessId, uptime, found, handedOut, connections, volumes);
        }
    }

    /// <summary>Who is connected, with what they counted.</summary>
    public ProcessList GetProcesses()
    {
        List<ProcessStatus> processes = [];
        CounterValues ended = default;
        lock (_oneCallAtATime)
        {
            for (int total = 1; processes.Count < total;)
            {
                PacketWriter request = Begin(AgentMessage.Processes);
                request.UInt32((uint)processes.Count);
                PacketReader reply = Call(request, out int failure);
                if (failure != 0)
                    throw Errno.Failure(failure, "asking for the agent's processes");
                ReadCounters(ref reply, ref ended);
                total = (int)reply.UInt32();
                int count = reply.UInt16();
                for (int i = 0; i < count; i++)
                    processes.Add(ReadProcess(ref reply));
                Expect(reply.IsComplete);
                if (count == 0)
                    break; // some have gone meanwhile
            }
        }
        return new ProcessList(ended, processes);
    }

    private static ProcessStatus ReadProcess(ref PacketReader reply)
    {
        int processId = (int)reply.UInt32();
        uint userId = reply.UInt32();
        bool isCounted = reply.Byte() != 0;
        CounterValues counters = default;
        ReadCounters(ref reply, ref counters);
        return new ProcessStatus(processId, userId, isCounted, counters);
    }

    private static void ReadCounters(ref PacketReader reply, ref CounterValues counters)
    {
        for (int i = 0; i < CounterValues.Length; i++)
            counters[i] = reply.UInt64();
    }
}
