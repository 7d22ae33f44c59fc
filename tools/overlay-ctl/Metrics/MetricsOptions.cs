using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Net;

namespace Overlay.Ctl.Metrics;

/// <summary>Where an agent's counters are served, if at all.</summary>
internal sealed class MetricsOptions
{
    private readonly Option<string?> _address = new("--metrics")
    {
        Description = "Serve counters for Prometheus at http://ADDRESS/metrics, for instance 127.0.0.1:9464; port 0 is any that is free, and is said.", HelpName = "ADDRESS",
    };

    private readonly Option<bool> _public = new("--metrics-public")
    {
        Description = "Let --metrics have an address that other machines, and other users, reach: without encryption, and without asking who it is.",
    };

    internal void AddTo(Command command)
    {
        command.Add(_address);
        command.Add(_public);
    }

    /// <summary>Null: none was asked for, or is wrong and said so. Before anything is started.</summary>
    internal IPEndPoint? Read(ParseResult parsed)
    {
        if (parsed.GetValue(_address) is not string text)
            return null;
        string number = text.StartsWith("localhost:", StringComparison.Ordinal) ? string.Concat("127.0.0.1:", text.AsSpan("localhost:".Length)) : text;
        // An address alone would parse, too, with port 0.
        bool hasPort = number.LastIndexOf(':') > number.LastIndexOf(']') && (number.StartsWith('[') || number.IndexOf(':') == number.LastIndexOf(':'));
        if (!hasPort || !IPEndPoint.TryParse(number, out IPEndPoint? address))
            throw new ControlException(ExitCodes.Usage, $"--metrics {text}: an address and a port are needed, as in 127.0.0.1:9464 or [::1]:9464.");
        if (!IPAddress.IsLoopback(address.Address) && !parsed.GetValue(_public))
            throw new ControlException(ExitCodes.Usage, $"--metrics {text}: others could reach that. Give an address of this machine alone (127.0.0.1, ::1), or say --metrics-public.");
        return address;
    }

    /// <param name="address">What <see cref="Read"/> gave.</param>
    internal static MetricsServer? Start(IPEndPoint? address, IReadOnlyList<AgentHost> agents)
    {
        if (address is null)
            return null;
        MetricsServer server = new(address, new AgentExposition(agents).Write);
        if (address.Port == 0)
            Console.Error.WriteLine($"overlay-ctl: metrics are at http://{server.Address}/metrics");
        return server;
    }
}
