# about: a .NET program, two runtimes in one process: streams, copy, locks, mapped reading, garbage collections
# needs: dotnet
# case-limit: 300
# limit: 400

case_files() {
    export DOTNET_CLI_HOME=$OUTSIDE/home DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
    export DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 MSBUILDDISABLENODEREUSE=1
    export NUGET_PACKAGES=$OUTSIDE/packages TMPDIR=$OUTSIDE
    mkdir "$OUTSIDE/p"
    cat >"$OUTSIDE/p/p.csproj" <<TEXT
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net$(dotnet --version | cut -d . -f 1,2)</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
    <UseAppHost>false</UseAppHost>
    <UseSharedCompilation>false</UseSharedCompilation>
  </PropertyGroup>
</Project>
TEXT
    cp "$PARTS/dotnet/Program.cs" "$OUTSIDE/p/Program.cs"
    (cd "$OUTSIDE/p" && dotnet build -v q --nologo -o "$OUTSIDE/built" >"$OUTSIDE/log" 2>&1 || tail -n 5 "$OUTSIDE/log")
    dotnet "$OUTSIDE/built/p.dll"
    checksum text r moved t?; volatile '*/z.zip'
    rm -rf "$OUTSIDE"/*
}
