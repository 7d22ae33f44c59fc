using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Reflection;
using Overlay.Crypto;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Metrics;

/// <summary>What the agents of this process say of themselves and of their clients. No path, no name of a file and no key is among it.</summary>
internal sealed class AgentExposition(IReadOnlyList<AgentHost> agents)
{
    private readonly VolumeKeys _keys = new(agents.SelectMany(agent => agent.Volumes));

    // A process that ends between two packets of a long list is in neither: a counter must not go back for that.
    private CounterValues _highest;

    internal string Write()
    {
        MetricsText text = new();
        List<AgentStatus> statuses = [];
        List<ProcessStatus> processes = [];
        CounterValues sum = default;
        foreach (AgentHost agent in agents)
        {
            using AgentClient client = AgentClient.Connect(agent.SocketPath);
            statuses.Add(client.GetStatus());
            ProcessList list = client.GetProcesses();
            sum.Add(list.Ended);
            processes.AddRange(list.Processes.Where(process => process.IsCounted));
        }
        foreach (ProcessStatus process in processes)
            sum.Add(process.Counters);
        text.Gauge("overlay_build_info", "The version of Overlay; always 1.")
            .Sample(1L, ("version", Assembly.GetExecutingAssembly().GetName().Version?.ToString(3) ?? ""));
        WriteAgent(text, statuses);
        WriteVolumes(text, statuses);
        WriteWork(text, processes.Count, sum);
        return text.ToString();
    }

    private void WriteAgent(MetricsText text, List<AgentStatus> statuses)
    {
        AgentMetrics[] metrics = [.. agents.Select(agent => agent.Metrics)];
        double started = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0 - statuses.Max(status => status.Uptime.TotalSeconds);
        text.Gauge("overlay_agent_start_time_seconds", "When the agent began to serve, in seconds since 1970.").Sample(Math.Round(started));
        // The one that asks for this is not a program.
        text.Gauge("overlay_agent_connections", "Connections that programs have to the agent.").Sample((long)statuses.Sum(status => status.Connections - 1));
        text.Counter("overlay_agent_connections_total", "Connections that were taken.").Sample(metrics.Sum(metric => metric.Accepted));
        text.Counter("overlay_agent_connections_refused_total", "Connections that were refused or ended by the agent.")
            .Sample(metrics.Sum(metric => metric.Refused), ("reason", "not_allowed"))
            .Sample(metrics.Sum(metric => metric.TurnedAway), ("reason", "full"))
            .Sample(metrics.Sum(metric => metric.Broken), ("reason", "protocol"));
        text.Counter("overlay_agent_keys_granted_total", "Keys of files that were given to programs.")
            .Sample(statuses.Sum(status => status.KeysFound), ("kind", "existing"))
            .Sample(statuses.Sum(status => status.KeysHandedOut), ("kind", "new"));
        text.Counter("overlay_agent_keys_denied_total", "Questions for keys that were answered with an error.").Sample(metrics.Sum(metric => metric.Denied));
        text.Histogram("overlay_agent_key_request_seconds", "Time that answers to questions for keys took.", [.. metrics.Select(metric => metric.KeyRequests)]);
        text.Histogram("overlay_agent_store_write_seconds", "Time that transactions took that write keys and notes to the store.", [.. metrics.Select(metric => metric.StoreWrites)]);
        text.Counter("overlay_agent_store_failures_total", "Times that the store could not be read or written.").Sample(metrics.Sum(metric => metric.StoreFailures));
    }

    private void WriteVolumes(MetricsText text, List<AgentStatus> statuses)
    {
        text.Gauge("overlay_volume_info", "A volume that is served, with what new files get; always 1.");
        foreach (UnlockedVolume volume in agents.SelectMany(agent => agent.Volumes))
            text.Sample(1L, ("volume", Convert.ToHexStringLower(volume.VolumeId.Span)), ("cipher", volume.Suite.Name()),
                ("compression", volume.Compress ? "lz4" : "none"), ("block_size", (1 << volume.BlockSizeLog2).ToString(CultureInfo.InvariantCulture)));
        text.Gauge("overlay_volume_pooled_keys", "Keys that are durable and wait for files to be created.");
        foreach (AgentVolumeStatus volume in statuses.SelectMany(status => status.Volumes))
            text.Sample((long)volume.PooledKeys, ("volume", Convert.ToHexStringLower(volume.VolumeId)));
        _keys.Write(text);
    }

    private void WriteWork(MetricsText text, int processes, CounterValues sum)
    {
        for (int i = 1; i < CounterValues.Length; i++)
            sum[i] = _highest[i] = Math.Max(sum[i], _highest[i]);
        text.Gauge("overlay_processes", "Processes that use sealed files and are counted.").Sample((long)processes);
        text.Gauge("overlay_open_files", "Sealed files that those have open, each counted once a process.").Sample(sum.OpenFiles);
        text.Counter("overlay_files_opened_total", "Sealed files that were opened, but for those that were read without the engine.").Sample(sum.Opens);
        text.Counter("overlay_reads_total", "Reads of sealed files.").Sample(sum.Reads);
        text.Counter("overlay_read_bytes_total", "Bytes that those brought.").Sample(sum.ReadBytes);
        text.Counter("overlay_writes_total", "Writes to sealed files.").Sample(sum.Writes);
        text.Counter("overlay_written_bytes_total", "Bytes that those took.").Sample(sum.WrittenBytes);
        text.Counter("overlay_cache_hits_total", "Parts of reads that were in memory: found by the filter, without the engine, or by the engine.")
            .Sample(sum.FilterHits, ("by", "filter")).Sample(sum.CacheHits, ("by", "engine"));
        text.Counter("overlay_cache_misses_total", "Parts of reads that had to be opened.").Sample(sum.CacheMisses);
        text.Counter("overlay_pieces_opened_total", "Pieces of ciphertext that were opened: blocks, parts of them, index records.").Sample(sum.Opened);
        text.Counter("overlay_pieces_sealed_total", "Pieces of ciphertext that were sealed.").Sample(sum.Sealed);
        text.Counter("overlay_authentication_failures_total", "Pieces whose tag did not match; reads that a write crossed are among them, and are done again.").Sample(sum.NotAuthentic);
        text.Counter("overlay_damage_total", "Reads and opens that were refused because a file is damaged.").Sample(sum.Damaged);
        text.Counter("overlay_agent_questions_total", "Questions of programs to the agent.").Sample(sum.AgentCalls);
        text.Counter("overlay_agent_questions_repeated_total", "Those that had to be asked again, since a connection broke.").Sample(sum.AgentRetries);
    }
}
