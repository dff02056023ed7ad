// The page that belongs to the address, inside the frame; or the login, where one is asked for.

import { useEffect } from 'preact/hooks';
import { Help } from './components/help.tsx';
import { Layout, PageHead } from './components/layout.tsx';
import { Empty, ProblemBox } from './components/problem.tsx';
import { Said } from './components/said.tsx';
import { pathOf, type Route } from './lib/routes.ts';
import { rich, t } from './lib/words.ts';
import { AlertsPage } from './pages/alerts.tsx';
import { EventsPage } from './pages/events.tsx';
import { GroupsPage } from './pages/groups.tsx';
import { KeysPage } from './pages/keys.tsx';
import { LoginPage } from './pages/login.tsx';
import { MigrationPage } from './pages/migration.tsx';
import { MigrationsPage } from './pages/migrations.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { PlanPage } from './pages/plan.tsx';
import { ProxiesPage } from './pages/proxies.tsx';
import { SettingsPage } from './pages/settings.tsx';
import { SlotsPage } from './pages/slots.tsx';
import { SlowLogPage } from './pages/slowlog.tsx';
import { WizardPage } from './pages/wizard.tsx';
import { beginningTrouble, loaded, startLive } from './state/live.ts';
import { navigate, product, route } from './state/router.ts';
import { followSession, loadSession, needsLogin, session, sessionProblem } from './state/session.ts';

export function App() {
  useEffect(() => {
    void loadSession();
    return followSession();
  }, []);
  if (needsLogin.value) return <LoginPage />;
  return <Console />;
}

/** Only after the login: what is live needs one. */
function Console() {
  const known = session.value !== null;
  useEffect(() => (known ? startLive() : retrySession()), [known]);
  const at = route.value;
  useEffect(() => {
    if ((at.kind === 'root' || at.kind === 'login') && product.value !== null)
      navigate(pathOf(product.value, 'overview'), { replace: true });
  }, [at, product.value]);
  return (
    <Layout>
      {loaded.value ? <Page at={at} /> : <Beginning />}
      <Help />
    </Layout>
  );
}

const RETRY_MS = 1000;

function retrySession(): () => void {
  const timer = setInterval(() => void loadSession(), RETRY_MS);
  return () => clearInterval(timer);
}

function Beginning() {
  return (
    <>
      <PageHead title="Codis" />
      {sessionProblem.value === null ? null : <ProblemBox problem={sessionProblem.value} />}
      <p role="status">
        {beginningTrouble.value === null
          ? t('Reading the state of the cluster …')
          : rich('The state of the cluster is not known: {trouble}. This page tries again by itself.', {
              trouble: <Said text={beginningTrouble.value} />,
            })}
      </p>
    </>
  );
}

function Page({ at }: { at: Route }) {
  if (at.kind !== 'page') return at.kind === 'unknown' ? <Nowhere text={t('There is nothing at {path}.', { path: at.path })} /> : null;
  if (at.product !== product.value)
    return (
      <Nowhere
        text={t('This dashboard serves {product}, not {wanted}.', {
          product: product.value ?? t('another product'),
          wanted: at.product,
        })}
      />
    );
  switch (at.page) {
    case 'overview':
      return <OverviewPage />;
    case 'slots':
      return <SlotsPage />;
    case 'migrations':
      return <MigrationsPart object={at.object} sub={at.sub} />;
    case 'groups':
      return <GroupsPage />;
    case 'proxies':
      return <ProxiesPage />;
    case 'keys':
      return <KeysPage />;
    case 'slowlog':
      return <SlowLogPage />;
    case 'events':
      return <EventsPage />;
    case 'alerts':
      return <AlertsPage />;
    case 'settings':
      return <SettingsPage />;
    default:
      return at.page satisfies never;
  }
}

function MigrationsPart({ object, sub }: { object: string | null; sub: string | null }) {
  if (object === null) return <MigrationsPage />;
  if (object === 'new') return <WizardPage />;
  if (object === 'plan') return <PlanPage key={sub} id={sub ?? ''} />;
  return <MigrationPage key={object} id={object} />;
}

function Nowhere({ text }: { text: string }) {
  return (
    <>
      <PageHead title={t('Nothing here')} />
      <Empty text={text} />
      <p>
        <a href="/">{t('To the overview')}</a>
      </p>
    </>
  );
}
